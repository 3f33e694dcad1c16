/* Loaded before the C library (LD_PRELOAD): errors of a disk, and a wall clock that is wrong.
 *
 * What it does is read from a page that the harness shares (struct control), so it changes while the program runs.
 * Monotonic clocks are left alone: those of a machine that was switched on earlier come from a time namespace.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define RULES 8
enum { OP_OPEN_READ = 1, OP_OPEN_WRITE = 2, OP_READ = 4, OP_WRITE = 8, OP_SYNC = 16, OP_REMOVE = 32, OP_RENAME = 64, OP_RESIZE = 128 };

struct rule {
    char path[256];
    int32_t ops, error;
};

struct control {
    int64_t wall_ns;
    int32_t count;
    int32_t seen;
    int32_t synchronised;
    int32_t spare;
    struct rule rules[RULES];
};

static struct control *control;

__attribute__((constructor)) static void begin(void) {
    const char *name = getenv("FAULT_SHIM");
    if (name == NULL) return;
    int file = open(name, O_RDWR | O_CLOEXEC);
    if (file < 0) return;
    void *page = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (page != MAP_FAILED) control = page;
}

static int matches(const char *path, int op) {
    for (int i = 0; i < control->count && i < RULES; i++) {
        struct rule *rule = &control->rules[i];
        size_t length = strlen(rule->path);
        if ((rule->ops & op) && strncmp(path, rule->path, length) == 0) {
            control->seen++;
            return rule->error;
        }
    }
    return 0;
}

static int fails(int file, int op) {
    if (control == NULL || control->count == 0) return 0;
    char link[40], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0 || path[0] != '/') return 0;
    path[length] = 0;
    return matches(path, op);
}

static int fails_at(int folder, const char *name, int op) {
    if (control == NULL || control->count == 0 || name == NULL) return 0;
    if (name[0] == '/') return matches(name, op);
    char link[40], path[PATH_MAX];
    if (folder == AT_FDCWD) snprintf(link, sizeof link, "/proc/self/cwd");
    else snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0 || length + strlen(name) + 2 > sizeof path) return 0;
    snprintf(path + length, sizeof path - length, "/%s", name);
    return matches(path, op);
}

#define REAL(name) \
    static __typeof__(name) *real; \
    if (real == NULL) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)
#define REFUSE(problem) \
    do { \
        int problem_ = (problem); \
        if (problem_) { errno = problem_; return -1; } \
    } while (0)

static int op_of(int flags) { return (flags & O_ACCMODE) == O_RDONLY && !(flags & O_CREAT) ? OP_OPEN_READ : OP_OPEN_WRITE; }

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        REAL(name); \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(rest, mode_t) : 0; \
        va_end(rest); \
        REFUSE(fails_at(AT_FDCWD, path, op_of(flags))); \
        return real(path, flags, mode); \
    }
#define OPENAT(name) \
    int name(int folder, const char *path, int flags, ...) { \
        REAL(name); \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(rest, mode_t) : 0; \
        va_end(rest); \
        REFUSE(fails_at(folder, path, op_of(flags))); \
        return real(folder, path, flags, mode); \
    }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

ssize_t read(int file, void *data, size_t size) { REAL(read); REFUSE(fails(file, OP_READ)); return real(file, data, size); }
ssize_t pread(int file, void *data, size_t size, off_t at) { REAL(pread); REFUSE(fails(file, OP_READ)); return real(file, data, size, at); }
ssize_t pread64(int file, void *data, size_t size, off64_t at) { REAL(pread64); REFUSE(fails(file, OP_READ)); return real(file, data, size, at); }
ssize_t write(int file, const void *data, size_t size) { REAL(write); REFUSE(fails(file, OP_WRITE)); return real(file, data, size); }
ssize_t pwrite(int file, const void *data, size_t size, off_t at) { REAL(pwrite); REFUSE(fails(file, OP_WRITE)); return real(file, data, size, at); }
ssize_t pwrite64(int file, const void *data, size_t size, off64_t at) { REAL(pwrite64); REFUSE(fails(file, OP_WRITE)); return real(file, data, size, at); }
ssize_t writev(int file, const struct iovec *parts, int count) { REAL(writev); REFUSE(fails(file, OP_WRITE)); return real(file, parts, count); }
int fsync(int file) { REAL(fsync); REFUSE(fails(file, OP_SYNC)); return real(file); }
int fdatasync(int file) { REAL(fdatasync); REFUSE(fails(file, OP_SYNC)); return real(file); }
int ftruncate(int file, off_t size) { REAL(ftruncate); REFUSE(fails(file, OP_RESIZE)); return real(file, size); }
int ftruncate64(int file, off64_t size) { REAL(ftruncate64); REFUSE(fails(file, OP_RESIZE)); return real(file, size); }
int truncate(const char *path, off_t size) { REAL(truncate); REFUSE(fails_at(AT_FDCWD, path, OP_RESIZE)); return real(path, size); }
int unlink(const char *path) { REAL(unlink); REFUSE(fails_at(AT_FDCWD, path, OP_REMOVE)); return real(path); }
int unlinkat(int folder, const char *path, int flags) { REAL(unlinkat); REFUSE(fails_at(folder, path, OP_REMOVE)); return real(folder, path, flags); }
int rmdir(const char *path) { REAL(rmdir); REFUSE(fails_at(AT_FDCWD, path, OP_REMOVE)); return real(path); }
int rename(const char *from, const char *to) {
    REAL(rename);
    REFUSE(fails_at(AT_FDCWD, from, OP_RENAME));
    REFUSE(fails_at(AT_FDCWD, to, OP_RENAME));
    return real(from, to);
}
int renameat(int a, const char *from, int b, const char *to) {
    REAL(renameat);
    REFUSE(fails_at(a, from, OP_RENAME));
    REFUSE(fails_at(b, to, OP_RENAME));
    return real(a, from, b, to);
}
int mkdir(const char *path, mode_t mode) { REAL(mkdir); REFUSE(fails_at(AT_FDCWD, path, OP_OPEN_WRITE)); return real(path, mode); }
int mkdirat(int folder, const char *path, mode_t mode) { REAL(mkdirat); REFUSE(fails_at(folder, path, OP_OPEN_WRITE)); return real(folder, path, mode); }

static int64_t ahead(void) { return control == NULL ? 0 : control->wall_ns; }

int clock_gettime(clockid_t which, struct timespec *at) {
    REAL(clock_gettime);
    int result = real(which, at);
    if (result == 0 && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE || which == CLOCK_TAI)) {
        int64_t now = (int64_t)at->tv_sec * 1000000000 + at->tv_nsec + ahead();
        at->tv_sec = now / 1000000000;
        at->tv_nsec = now % 1000000000;
    }
    return result;
}
int gettimeofday(struct timeval *at, void *zone) {
    (void)zone;
    struct timespec now;
    int result = clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return result;
}
time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at != NULL) *at = now.tv_sec;
    return now.tv_sec;
}

/* The kernel stamps files with the true time; a machine whose clock is wrong would stamp them with that. */
static void move(struct timespec *at) {
    int64_t then = (int64_t)at->tv_sec * 1000000000 + at->tv_nsec + ahead();
    at->tv_sec = then / 1000000000;
    at->tv_nsec = then % 1000000000;
}
#define MOVED(result, at) \
    int result_ = (result); \
    if (result_ == 0) { move(&(at)->st_atim); move(&(at)->st_mtim); move(&(at)->st_ctim); } \
    return result_
int stat(const char *path, struct stat *at) { REAL(stat); MOVED(real(path, at), at); }
int lstat(const char *path, struct stat *at) { REAL(lstat); MOVED(real(path, at), at); }
int fstat(int file, struct stat *at) { REAL(fstat); MOVED(real(file, at), at); }
int fstatat(int folder, const char *path, struct stat *at, int flags) { REAL(fstatat); MOVED(real(folder, path, at, flags), at); }
int stat64(const char *path, struct stat64 *at) { REAL(stat64); MOVED(real(path, at), at); }
int lstat64(const char *path, struct stat64 *at) { REAL(lstat64); MOVED(real(path, at), at); }
int fstat64(int file, struct stat64 *at) { REAL(fstat64); MOVED(real(file, at), at); }
int fstatat64(int folder, const char *path, struct stat64 *at, int flags) { REAL(fstatat64); MOVED(real(folder, path, at, flags), at); }

/* Whether a time server stands behind the clock is the harness's to say. */
static int vouched(int result, struct timex *at) {
    if (result < 0) return result;
    int is = control != NULL && control->synchronised;
    at->status = is ? at->status & ~STA_UNSYNC : at->status | STA_UNSYNC;
    return is ? TIME_OK : TIME_ERROR;
}
int adjtimex(struct timex *at) { REAL(adjtimex); return vouched(real(at), at); }
int ntp_adjtime(struct timex *at) { REAL(ntp_adjtime); return vouched(real(at), at); }
int clock_adjtime(clockid_t which, struct timex *at) { REAL(clock_adjtime); return vouched(real(which, at), at); }
