// The note that a fault leaves behind.
//
// It is ready before the fault comes. The handler only writes it, by calls that POSIX allows there.

#define _GNU_SOURCE
#include "fault.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "CTerminal.h"

// Two, so that one is complete whenever a signal comes.
static char notes[2][4096];
static volatile sig_atomic_t current;

static char path[PATH_MAX];
// Offset in the path at which the folders begin that may have to be made.
static size_t existing;
static int is_kept;

void ct_set_fault_file(const char *file, size_t folder)
{
	path[0] = '\0';
	if (strlen(file) >= sizeof path || folder > strlen(file))
		return;
	strcpy(path, file);
	existing = folder;
}

void ct_set_fault_note(const char *text)
{
	int next = !current;
	size_t length = strnlen(text, sizeof notes[next] - 1);

	memcpy(notes[next], text, length);
	notes[next][length] = '\0';
	current = next;
}

int is_fault(int signal)
{
	switch (signal) {
	case SIGILL:
	case SIGTRAP:
	case SIGABRT:
	case SIGSEGV:
	case SIGBUS:
	case SIGFPE:
		return 1;
	}
	return 0;
}

static void put(int file, const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		ssize_t n = write(file, text, left);

		if (n < 0 && errno != EINTR)
			return;
		if (n > 0) {
			text += n;
			left -= n;
		}
	}
}

static void put_note(int file, int signal)
{
	const char *name = sigabbrev_np(signal);

	put(file, notes[current]);
	put(file, "signal: ");
	put(file, name ? name : "?");
	put(file, "\n");
}

static int open_file(void)
{
	if (!path[0])
		return -1;
	for (char *end = path + existing; (end = strchr(end, '/')); *end++ = '/') {
		*end = '\0';
		mkdir(path, 0700);
	}
	return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

void fault_keep_note(int signal)
{
	int file;

	if (!notes[current][0])
		return;
	file = open_file();
	is_kept = file >= 0;
	if (!is_kept)
		return;
	put_note(file, signal);
	close(file);
}

void fault_tell(int signal)
{
	if (!notes[current][0])
		return;
	if (!is_kept) {
		put_note(STDERR_FILENO, signal);
		return;
	}
	put(STDERR_FILENO, "pagewalk: a fault of its own. `pagewalk report` prints what a report needs; it is kept in ");
	put(STDERR_FILENO, path);
	put(STDERR_FILENO, "\n");
}
