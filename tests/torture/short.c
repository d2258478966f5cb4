/* SPDX-License-Identifier: MIT */
/* short MOST COMMAND…: runs a command whose reads and writes come out short, truthfully: a ptrace'd call asks the kernel for
 * at most MOST bytes (one block less than wanted where direct I/O needs whole blocks), so what it answers is what was done.
 * Linux on x86-64 only. Ends with the command's status. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define BLOCK 4096u
static unsigned long most, cuts;

/* Files opened for direct I/O only take whole blocks. */
static int
is_direct(pid_t pid, int fd)
{
	char path[64], line[128];
	unsigned flags = 0;
	FILE *file;
	snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", (int)pid, fd);
	file = fopen(path, "r");
	if (file == NULL)
		return 0;
	while (fgets(line, sizeof line, file) != NULL)
		if (sscanf(line, "flags: %o", &flags) == 1)
			break;
	fclose(file);
	return (flags & O_DIRECT) != 0;
}

/* The process of a thread. */
static pid_t
process_of(pid_t thread)
{
	char path[64], line[128];
	int process = thread;
	FILE *file;
	snprintf(path, sizeof path, "/proc/%d/status", (int)thread);
	file = fopen(path, "r");
	if (file == NULL)
		return thread;
	while (fgets(line, sizeof line, file) != NULL)
		if (sscanf(line, "Tgid: %d", &process) == 1)
			break;
	fclose(file);
	return process;
}

/* Half a datagram is another datagram. Where this cannot be found out it is taken for a stream. */
static int
is_datagram(pid_t pid, int fd)
{
	int type = 0, process = (int)syscall(SYS_pidfd_open, process_of(pid), 0), own;
	socklen_t size = sizeof type;
	if (process < 0)
		return 0;
	own = (int)syscall(SYS_pidfd_getfd, process, fd, 0);
	close(process);
	if (own < 0)
		return 0;
	if (getsockopt(own, SOL_SOCKET, SO_TYPE, &type, &size) != 0)
		type = 0;
	close(own);
	return type == SOCK_DGRAM;
}

static unsigned long
shortened(unsigned long wanted, int direct)
{
	if (direct)
		return wanted < 2 * BLOCK ? wanted : (wanted - BLOCK) / BLOCK * BLOCK;
	return wanted > most ? most : wanted;
}

/* struct iocb of the kernel: its count stands at 32. */
static void
cut_submit(pid_t pid, const struct user_regs_struct *regs)
{
	long request = ptrace(PTRACE_PEEKDATA, pid, (void *)regs->rdx, NULL);
	long wanted = ptrace(PTRACE_PEEKDATA, pid, (void *)(request + 32), NULL);
	unsigned long count = shortened((unsigned long)wanted, 1);
	cuts += count != (unsigned long)wanted;
	ptrace(PTRACE_POKEDATA, pid, (void *)(request + 32), (void *)count);
}

static void
cut(pid_t pid)
{
	struct user_regs_struct regs;
	unsigned long count;
	if (ptrace(PTRACE_GETREGS, pid, NULL, &regs) != 0)
		return;
	switch (regs.orig_rax) {
	case SYS_io_submit:
		cut_submit(pid, &regs);
		return;
	case SYS_recvfrom:
	case SYS_sendto:
		if (is_datagram(pid, (int)regs.rdi))
			return;
		break;
	case SYS_read:
	case SYS_write:
	case SYS_pread64:
	case SYS_pwrite64:
		break;
	default:
		return;
	}
	count = shortened(regs.rdx, is_direct(pid, (int)regs.rdi));
	if (count == regs.rdx)
		return;
	cuts++;
	regs.rdx = count;
	ptrace(PTRACE_SETREGS, pid, NULL, &regs);
}

static int
is_entry(pid_t pid)
{
	struct __ptrace_syscall_info info;
	return ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof info, &info) > 0 && info.op == PTRACE_SYSCALL_INFO_ENTRY;
}

/* The signal to hand on. */
static int
handle_stop(pid_t pid, int what)
{
	if (what == (SIGTRAP | 0x80)) {
		if (is_entry(pid))
			cut(pid);
		return 0;
	}
	return what == SIGTRAP || what == SIGSTOP ? 0 : what;
}

static int
follow(pid_t first)
{
	int status, pass, result = 99;
	pid_t pid;
	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			if (pid == first)
				result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
			continue;
		}
		pass = handle_stop(pid, WSTOPSIG(status));
		ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(intptr_t)pass);
	}
	return result;
}

int
main(int argc, char **argv)
{
	const char *report = getenv("SHORT_REPORT");
	int status, result;
	pid_t child;
	if (argc < 3)
		return 2;
	most = strtoul(argv[1], NULL, 10);
	child = fork();
	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return 99;
	ptrace(PTRACE_SETOPTIONS, child, NULL,
	       (void *)(intptr_t)(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_EXITKILL));
	ptrace(PTRACE_SYSCALL, child, NULL, NULL);
	result = follow(child);
	if (report != NULL) {
		FILE *file = fopen(report, "w");
		if (file != NULL) {
			fprintf(file, "%lu\n", cuts);
			fclose(file);
		}
	}
	return result;
}
