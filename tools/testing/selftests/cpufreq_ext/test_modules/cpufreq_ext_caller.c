// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls a BPF program of a struct_ops type of its own with the policies of all
 * CPUs.  To the kfuncs of ext these are foreign policies, and stopped ones when
 * the CPUs went off since this module was loaded.  Offers a kfunc that sleeps, to
 * any struct_ops program.
 */
#include <linux/bpf.h>
#include <linux/bpf_verifier.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/cpu.h>
#include <linux/cpufreq.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/slab.h>

struct cpufreq_ext_caller_ops {
	int (*call)(struct cpufreq_policy *policy);
};

static bool hold = true;
module_param(hold, bool, 0444);
MODULE_PARM_DESC(hold, "Hold the policies: the cpufreq driver cannot go while this is loaded");

static struct cpufreq_policy **policies;

__bpf_kfunc_start_defs();

/**
 * cpufreq_ext_caller_sleep - Sleep
 * @ms: milliseconds
 */
__bpf_kfunc void cpufreq_ext_caller_sleep(u32 ms)
{
	msleep(ms);
}

__bpf_kfunc_end_defs();

BTF_KFUNCS_START(caller_kfuncs)
BTF_ID_FLAGS(func, cpufreq_ext_caller_sleep, KF_SLEEPABLE)
BTF_KFUNCS_END(caller_kfuncs)

static const struct btf_kfunc_id_set caller_kfunc_set = {
	.owner	= THIS_MODULE,
	.set	= &caller_kfuncs,
};

static bool caller_is_valid_access(int off, int size, enum bpf_access_type type,
				   const struct bpf_prog *prog,
				   struct bpf_insn_access_aux *info)
{
	return bpf_tracing_btf_ctx_access(off, size, type, prog, info);
}

static const struct bpf_func_proto *
caller_get_func_proto(enum bpf_func_id func_id, const struct bpf_prog *prog)
{
	return bpf_base_func_proto(func_id, prog);
}

static const struct bpf_verifier_ops caller_verifier_ops = {
	.get_func_proto		= caller_get_func_proto,
	.is_valid_access	= caller_is_valid_access,
};

static int caller_bpf_init(struct btf *btf)
{
	return 0;
}

static int caller_init_member(const struct btf_type *t,
			      const struct btf_member *member,
			      void *kdata, const void *udata)
{
	return 0;
}

static int caller_reg(void *kdata, struct bpf_link *link)
{
	struct cpufreq_ext_caller_ops *ops = kdata;
	unsigned int cpu;

	if (!ops->call)
		return -EINVAL;

	for_each_possible_cpu(cpu)
		if (policies[cpu])
			ops->call(policies[cpu]);

	return 0;
}

static void caller_unreg(void *kdata, struct bpf_link *link)
{
}

static int caller_call_stub(struct cpufreq_policy *policy)
{
	return 0;
}

static struct cpufreq_ext_caller_ops caller_stubs = {
	.call = caller_call_stub,
};

static struct bpf_struct_ops caller_struct_ops = {
	.verifier_ops	= &caller_verifier_ops,
	.init		= caller_bpf_init,
	.init_member	= caller_init_member,
	.reg		= caller_reg,
	.unreg		= caller_unreg,
	.cfi_stubs	= &caller_stubs,
	.owner		= THIS_MODULE,
	.name		= "cpufreq_ext_caller_ops",
};

static void put_policies(void)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		if (policies[cpu])
			cpufreq_cpu_put(policies[cpu]);
	kfree(policies);
}

static int __init caller_init(void)
{
	unsigned int cpu;
	int ret;

	policies = kcalloc(nr_cpu_ids, sizeof(*policies), GFP_KERNEL);
	if (!policies)
		return -ENOMEM;

	for_each_possible_cpu(cpu)
		policies[cpu] = hold ? cpufreq_cpu_get(cpu) : NULL;

	ret = register_btf_kfunc_id_set(BPF_PROG_TYPE_STRUCT_OPS, &caller_kfunc_set);
	ret = ret ?: register_bpf_struct_ops(&caller_struct_ops, cpufreq_ext_caller_ops);
	if (ret)
		put_policies();

	return ret;
}

static void __exit caller_exit(void)
{
	put_policies();
}

MODULE_AUTHOR("The cpufreq_ext developers");
MODULE_DESCRIPTION("Calls BPF programs with policies, for the tests of the governor ext");
MODULE_LICENSE("GPL");

module_init(caller_init);
module_exit(caller_exit);
