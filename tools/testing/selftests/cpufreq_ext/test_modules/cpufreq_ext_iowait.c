// SPDX-License-Identifier: GPL-2.0-only
/* Whoever writes to the parameter wait_us waits that long, as if for a disk. */
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>

static int iowait_set(const char *text, const struct kernel_param *param)
{
	unsigned int us;
	int ret;

	ret = kstrtouint(text, 0, &us);
	if (ret)
		return ret;

	set_current_state(TASK_UNINTERRUPTIBLE);
	io_schedule_timeout(usecs_to_jiffies(min(us, 1000000U)));

	return 0;
}

static const struct kernel_param_ops iowait_ops = {
	.set = iowait_set,
};

module_param_cb(wait_us, &iowait_ops, NULL, 0200);
MODULE_PARM_DESC(wait_us, "write: wait for that many microseconds");

MODULE_DESCRIPTION("Waits for I/O that there is not");
MODULE_LICENSE("GPL");
