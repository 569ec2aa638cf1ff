#define _GNU_SOURCE
#include "CPseudoterminal.h"

#include <fcntl.h>
#include <pthread.h>
#include <pty.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

// Gives the terminal to a process group, in the modes that it finds there.
static void set_foreground(pid_t group, const struct termios *modes)
{
	tcsetpgrp(0, group);
	tcsetattr(0, TCSANOW, modes);
}

// Acts as a shell with job control. It leads the session, and stays after the program has ended,
// because its own end would reset the terminal's modes.
static void shell(char *const argv[], char *const environment[], const struct termios *modes,
		  int statuses, bool foreground)
{
	const struct rlimit none = {0, 0};
	struct termios own = *modes;
	sigset_t mask;
	int status;
	pid_t pid;

	// Test runners block signals, and tests catch some.
	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	sigemptyset(&mask);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	signal(SIGTTOU, SIG_IGN);
	setrlimit(RLIMIT_CORE, &none);
	own.c_lflag &= ~(ICANON | ECHO);
	set_foreground(getpgrp(), &own);
	pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		if (foreground)
			set_foreground(getpgrp(), modes);
		signal(SIGTTOU, SIG_DFL);
		execve(argv[0], argv, environment);
		_exit(127);
	}
	setpgid(pid, pid);
	signal(SIGHUP, SIG_IGN);
	write(statuses, &pid, sizeof pid);
	while (waitpid(pid, &status, WUNTRACED) == pid) {
		write(statuses, &status, sizeof status);
		if (WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP) {
			set_foreground(getpgrp(), &own);
		} else if (WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTOU) {
			set_foreground(pid, modes);
			kill(-pid, SIGCONT);
		}
	}
	for (;;)
		pause();
}

bool cpty_start(struct cpty_job *job, char *const argv[], char *const environment[], int width,
		int height, bool foreground)
{
	const struct winsize size = {.ws_col = width, .ws_row = height};
	int reports[2], statuses[2], program_side;

	if (pipe2(reports, O_CLOEXEC) < 0 || pipe2(statuses, O_CLOEXEC) < 0 ||
	    openpty(&job->terminal, &program_side, NULL, NULL, &size) < 0 ||
	    tcgetattr(program_side, &job->modes) < 0)
		return false;
	job->shell = fork();
	if (job->shell < 0)
		return false;
	if (job->shell == 0) {
		login_tty(program_side);
		// Other pseudoterminals must not stay open here.
		for (int fd = 3; fd < 1024; fd++)
			if (fd != reports[1] && fd != statuses[1])
				close(fd);
		statuses[1] = fcntl(statuses[1], F_DUPFD_CLOEXEC, 4);
		dup2(reports[1], 3);
		fcntl(3, F_SETFD, 0);
		shell(argv, environment, &job->modes, statuses[1], foreground);
	}
	close(program_side);
	close(reports[1]);
	close(statuses[1]);
	fcntl(job->terminal, F_SETFD, FD_CLOEXEC);
	fcntl(job->terminal, F_SETFL, O_NONBLOCK);
	job->reports = reports[0];
	job->statuses = statuses[0];
	return read(job->statuses, &job->pid, sizeof job->pid) == sizeof job->pid;
}

void cpty_hang_up(struct cpty_job *job)
{
	if (job->terminal >= 0)
		close(job->terminal);
	job->terminal = -1;
}

void cpty_finish(struct cpty_job *job)
{
	kill(job->pid, SIGKILL);
	kill(job->shell, SIGKILL);
	waitpid(job->shell, NULL, 0);
	cpty_hang_up(job);
	close(job->reports);
	close(job->statuses);
}

bool cpty_resize(const struct cpty_job *job, int width, int height)
{
	const struct winsize size = {.ws_col = width, .ws_row = height};

	return ioctl(job->terminal, TIOCSWINSZ, &size) == 0;
}

static void *forget(void *argument)
{
	int terminal = (intptr_t)argument;
	char bytes[4096];

	while (read(terminal, bytes, sizeof bytes) > 0)
		;
	close(terminal);
	return NULL;
}

int cpty_open(int width, int height)
{
	const struct winsize size = {.ws_col = width, .ws_row = height};
	int terminal, program_side;
	pthread_t reader;

	if (openpty(&terminal, &program_side, NULL, NULL, &size) < 0)
		return -1;
	pthread_create(&reader, NULL, forget, (void *)(intptr_t)terminal);
	pthread_detach(reader);
	return program_side;
}
