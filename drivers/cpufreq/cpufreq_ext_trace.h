/* SPDX-License-Identifier: GPL-2.0-only */
/* Trace events of the cpufreq governor ext */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM cpufreq_ext

#if !defined(_CPUFREQ_EXT_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _CPUFREQ_EXT_TRACE_H

#include <linux/tracepoint.h>

DECLARE_EVENT_CLASS(cpufreq_ext_policy,
		    TP_PROTO(unsigned int cpu, const char *name),
		    TP_ARGS(cpu, name),
		    TP_STRUCT__entry(__field(unsigned int, cpu)
				     __string(name, name)),
		    TP_fast_assign(__entry->cpu = cpu;
				   __assign_str(name);),
		    TP_printk("policy=%u governor=\"%s\"", __entry->cpu,
			      __get_str(name))
);

/* A BPF governor begins to govern a policy. */
DEFINE_EVENT(cpufreq_ext_policy, cpufreq_ext_attach,
	     TP_PROTO(unsigned int cpu, const char *name),
	     TP_ARGS(cpu, name)
);

/* It ends; another one or the fallback follows. */
DEFINE_EVENT(cpufreq_ext_policy, cpufreq_ext_detach,
	     TP_PROTO(unsigned int cpu, const char *name),
	     TP_ARGS(cpu, name)
);

/* A BPF governor was asked: what it wanted, and what came of it. */
TRACE_EVENT(cpufreq_ext_decision,
	    TP_PROTO(unsigned int cpu, unsigned long wanted_khz,
		     unsigned int target_khz, unsigned int delay_us),
	    TP_ARGS(cpu, wanted_khz, target_khz, delay_us),
	    TP_STRUCT__entry(__field(unsigned int, cpu)
			     __field(unsigned long, wanted_khz)
			     __field(unsigned int, target_khz)
			     __field(unsigned int, delay_us)),
	    TP_fast_assign(__entry->cpu = cpu;
			   __entry->wanted_khz = wanted_khz;
			   __entry->target_khz = target_khz;
			   __entry->delay_us = delay_us;),
	    TP_printk("policy=%u wanted_khz=%lu target_khz=%u delay_us=%u",
		      __entry->cpu, __entry->wanted_khz, __entry->target_khz,
		      __entry->delay_us)
);

/* A BPF governor is ejected; @cpu is that of the policy, -1 if it was in none. */
TRACE_EVENT(cpufreq_ext_fault,
	    TP_PROTO(const char *name, const char *reason, int cpu),
	    TP_ARGS(name, reason, cpu),
	    TP_STRUCT__entry(__string(name, name)
			     __string(reason, reason)
			     __field(int, cpu)),
	    TP_fast_assign(__assign_str(name);
			   __assign_str(reason);
			   __entry->cpu = cpu;),
	    TP_printk("policy=%d governor=\"%s\" reason=\"%s\"", __entry->cpu,
		      __get_str(name), __get_str(reason))
);

#endif /* _CPUFREQ_EXT_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE cpufreq_ext_trace
#include <trace/define_trace.h>
