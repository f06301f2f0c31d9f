#ifndef CLINUX_SHIM_H
#define CLINUX_SHIM_H

/*
 * System calls, as the kernel itself returns them: the result, or -errno.
 * A call that a signal interrupts is made again, but where a comment says otherwise.
 * Swift never reads `errno`, which code the compiler puts between the call and the read may change.
 *
 * _GNU_SOURCE is not defined here: it would change the glibc types that this module shares with
 * every other module. What needs it is declared where it is used.
 */

#include "bpf.h"
#include "clocks.h"
#include "containers.h"
#include "files.h"
#include "kernel_sockets.h"
#include "namespaces.h"
#include "packets.h"
#include "processes.h"
#include "sockets.h"

#include <linux/genetlink.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

#endif
