// Signals and the terminal.
//
// Those that end the program may come at any time, in the middle of ncurses too. Their handler
// gives the terminal back with what POSIX allows there, write and tcsetattr, and lets the signal
// do what it would have done. Those that stop, continue or resize are blocked except while the
// program waits for input; they leave a note, and what follows is done outside of any handler.

#define _GNU_SOURCE
#include "signals.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "CTerminal.h"
#include "fault.h"

static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGILL,
			     SIGTRAP, SIGABRT, SIGSEGV, SIGBUS, SIGFPE};
static const int noted[] = {SIGWINCH, SIGTSTP, SIGCONT};

enum { ENDING = sizeof ending / sizeof *ending, NOTED = sizeof noted / sizeof *noted };

static int input_fd, output_fd;
static struct termios shell_modes;
static char reset[512];
static size_t reset_length;
static volatile sig_atomic_t armed;
static volatile sig_atomic_t notes;

static struct sigaction ending_before[ENDING], noted_before[NOTED];
static sigset_t mask_before;
static stack_t stack_before;
static int has_own_backtrace;

static int in_foreground(void)
{
	pid_t group = tcgetpgrp(output_fd);

	// A terminal that does not control this process knows no background.
	return group < 0 || group == getpgrp();
}

static void restore(void)
{
	size_t done = 0;

	while (done < reset_length) {
		ssize_t n = write(output_fd, reset + done, reset_length - done);

		if (n < 0 && errno != EINTR)
			break;
		if (n > 0)
			done += n;
	}
	// In the background the modes are the shell's, or those of what it runs.
	if (in_foreground())
		tcsetattr(output_fd, TCSANOW, &shell_modes);
}

// The backtracer of Swift's runtime would ask the user what to do, and wait. This answers before it
// asks, unless the user has configured the backtracer.
static void answer_backtracer(void)
{
	int ends[2];

	if (has_own_backtrace || pipe(ends) < 0)
		return;
	if (write(ends[1], "q", 1) == 1)
		dup2(ends[0], STDIN_FILENO);
}

// The signal comes again when the handler returns, with its default disposition: the parent sees the
// true cause of the end. Before that the handler of Swift's runtime, if any, prints a backtrace. The
// note is written before the backtrace and mentioned after it, so that this is the last line.
static void end(int signal, siginfo_t *info, void *context)
{
	const struct sigaction plain = {.sa_handler = SIG_DFL};
	const struct sigaction *before = &plain;
	int error = errno;

	if (armed)
		restore();
	armed = 0;
	for (int i = 0; i < ENDING; i++)
		if (ending[i] == signal)
			before = &ending_before[i];
	if (is_fault(signal)) {
		fault_keep_note(signal);
		if (before->sa_flags & SA_SIGINFO) {
			answer_backtracer();
			before->sa_sigaction(signal, info, context);
		}
		fault_tell(signal);
		before = &plain;
	}
	sigaction(signal, before, NULL);
	raise(signal);
	errno = error;
}

static void note(int signal)
{
	notes |= signal == SIGWINCH ? CT_RESIZED : signal == SIGTSTP ? CT_STOP : CT_CONTINUED;
}

static void set_of(const int *signals, int count, sigset_t *set)
{
	sigemptyset(set);
	for (int i = 0; i < count; i++)
		sigaddset(set, signals[i]);
}

// What was ignored before, as by nohup, stays ignored.
static void catch(int signal, struct sigaction action, struct sigaction *before)
{
	sigaction(signal, NULL, before);
	if (before->sa_handler == SIG_IGN)
		return;
	// SIGTTOU among them, which would stop tcsetattr.
	sigfillset(&action.sa_mask);
	sigaction(signal, &action, NULL);
}

void signals_install(int input, int output)
{
	// A stack overflow must be survived as long as it takes to give the terminal back.
	static char stack[64 * 1024];
	const stack_t own = {.ss_sp = stack, .ss_size = sizeof stack};
	const char *backtrace = getenv("SWIFT_BACKTRACE");

	input_fd = input;
	output_fd = output;
	notes = 0;
	has_own_backtrace = backtrace && *backtrace;
	pthread_sigmask(SIG_SETMASK, NULL, &mask_before);
	sigaltstack(NULL, &stack_before);
	if (stack_before.ss_flags & SS_DISABLE)
		sigaltstack(&own, NULL);
	for (int i = 0; i < ENDING; i++)
		catch(ending[i],
		      (struct sigaction){.sa_sigaction = end, .sa_flags = SA_SIGINFO | SA_ONSTACK},
		      &ending_before[i]);
	for (int i = 0; i < NOTED; i++)
		catch(noted[i], (struct sigaction){.sa_handler = note, .sa_flags = SA_RESTART},
		      &noted_before[i]);
}

void signals_remove(void)
{
	armed = 0;
	for (int i = 0; i < ENDING; i++)
		sigaction(ending[i], &ending_before[i], NULL);
	for (int i = 0; i < NOTED; i++)
		sigaction(noted[i], &noted_before[i], NULL);
	if (stack_before.ss_flags & SS_DISABLE)
		sigaltstack(&stack_before, NULL);
	pthread_sigmask(SIG_SETMASK, &mask_before, NULL);
}

void signals_hold(void)
{
	sigset_t set;

	set_of(ending, ENDING, &set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	set_of(noted, NOTED, &set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

void signals_release(void)
{
	sigset_t set;

	set_of(noted, NOTED, &set);
	sigorset(&set, &set, &mask_before);
	pthread_sigmask(SIG_SETMASK, &set, NULL);
}

int signals_await_foreground(void)
{
	int result = 0;
	sigset_t mask;

	// A stopped process must still be able to end.
	pthread_sigmask(SIG_SETMASK, &mask_before, &mask);
	while (result == 0 && !in_foreground()) {
		notes = 0;
		kill(0, SIGTTOU);
		if (!(notes & CT_CONTINUED))
			result = -1;
	}
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	// The caller notices what happened meanwhile when it takes the screen.
	notes = 0;
	return result;
}

void signals_save_modes(void)
{
	tcgetattr(output_fd, &shell_modes);
}

void signals_set_reset(const char *bytes, size_t length)
{
	reset_length = length < sizeof reset ? length : sizeof reset;
	memcpy(reset, bytes, reset_length);
}

void signals_set_armed(int ours)
{
	armed = ours;
}

void signals_stop(void)
{
	const struct sigaction stop = {.sa_handler = SIG_DFL};
	struct sigaction ours;
	sigset_t mask;

	sigaction(SIGTSTP, &stop, &ours);
	raise(SIGTSTP);
	// The signal has been blocked so far: here the process stops, and here it is continued.
	pthread_sigmask(SIG_SETMASK, &mask_before, &mask);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	sigaction(SIGTSTP, &ours, NULL);
}

enum ct_wait ct_wait(int milliseconds)
{
	const struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
	struct pollfd input = {.fd = input_fd, .events = POLLIN};
	sigset_t mask = mask_before;
	int unread = 0;

	for (int i = 0; i < NOTED; i++)
		sigdelset(&mask, noted[i]);
	switch (ppoll(&input, 1, milliseconds < 0 ? NULL : &time, &mask)) {
	case -1:
		return errno == EINTR ? CT_SIGNALLED : CT_LOST;
	case 0:
		return CT_TIMEOUT;
	}
	// A terminal that was closed is readable, with no bytes.
	if (input.revents & (POLLHUP | POLLERR | POLLNVAL) ||
	    ioctl(input_fd, FIONREAD, &unread) < 0 || unread == 0)
		return CT_LOST;
	return CT_READY;
}

unsigned ct_take_signals(void)
{
	sigset_t set, mask;
	unsigned taken;

	// Pending signals are delivered here, so none comes between reading the notes and erasing them.
	set_of(noted, NOTED, &set);
	pthread_sigmask(SIG_UNBLOCK, &set, &mask);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	taken = notes;
	notes = 0;
	return taken;
}
