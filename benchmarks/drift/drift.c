/* Loaded before the C library (LD_PRELOAD): a machine whose clocks go too fast or too slow for a while.
 *
 * All clocks gain the same, as those of one quartz do. When, how much and over how long is read from a page that the benchmark shares,
 * so it changes while the program runs. Waits until a moment of such a clock are moved by what it has gained.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define PIECES 64
#define SECOND 1000000000LL

struct page {
    int64_t count;
    struct { int64_t start, length, gain; } piece[PIECES];
};

static volatile struct page *page;

__attribute__((constructor)) static void begin(void) {
    const char *name = getenv("DRIFT_PAGE");
    if (name == NULL) return;
    int file = open(name, O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    void *found = mmap(NULL, sizeof *page, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (found != MAP_FAILED) page = found;
}

#define REAL(type, name, version) \
    static type real; \
    if (real == NULL) real = (type)dlvsym(RTLD_NEXT, name, version); \
    if (real == NULL) real = (type)dlsym(RTLD_NEXT, name)

typedef int (*clock_fn)(clockid_t, struct timespec *);

static int clock_of_machine(clockid_t clock, struct timespec *at) {
    REAL(clock_fn, "clock_gettime", "GLIBC_2.17");
    return real(clock, at);
}

static int64_t gained(void) {
    if (page == NULL || page->count == 0) return 0;
    struct timespec now;
    clock_of_machine(CLOCK_BOOTTIME, &now);
    int64_t at = now.tv_sec * SECOND + now.tv_nsec, sum = 0;
    for (int64_t index = 0; index < page->count && index < PIECES; index++) {
        int64_t since = at - page->piece[index].start, length = page->piece[index].length;
        if (since >= length) sum += page->piece[index].gain;
        else if (since > 0) sum += (int64_t)((double)page->piece[index].gain * ((double)since / (double)length));
    }
    return sum;
}

static struct timespec moved(const struct timespec *at, int64_t by) {
    int64_t whole = at->tv_sec * SECOND + at->tv_nsec + by;
    if (whole < 0) whole = 0;
    return (struct timespec){.tv_sec = whole / SECOND, .tv_nsec = whole % SECOND};
}

static int drifts(clockid_t clock) {
    return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC || clock == CLOCK_BOOTTIME || clock == CLOCK_MONOTONIC_RAW ||
           clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE;
}

int clock_gettime(clockid_t clock, struct timespec *at) {
    int found = clock_of_machine(clock, at);
    if (found == 0 && drifts(clock)) *at = moved(at, gained());
    return found;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
    (void)zone;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at != NULL) *at = now.tv_sec;
    return now.tv_sec;
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *until, struct timespec *left) {
    typedef int (*fn)(clockid_t, int, const struct timespec *, struct timespec *);
    REAL(fn, "clock_nanosleep", "GLIBC_2.17");
    if (!(flags & TIMER_ABSTIME) || !drifts(clock)) return real(clock, flags, until, left);
    struct timespec real_until = moved(until, -gained());
    return real(clock, flags, &real_until, left);
}

int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex, const struct timespec *restrict until) {
    typedef int (*fn)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
    REAL(fn, "pthread_cond_timedwait", "GLIBC_2.3.2");
    struct timespec real_until = moved(until, -gained());
    return real(condition, mutex, &real_until);
}

int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock, const struct timespec *until) {
    typedef int (*fn)(pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *);
    REAL(fn, "pthread_cond_clockwait", "GLIBC_2.34");
    struct timespec real_until = moved(until, -gained());
    return real(condition, mutex, clock, &real_until);
}

int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict until) {
    typedef int (*fn)(sem_t *, const struct timespec *);
    REAL(fn, "sem_timedwait", "GLIBC_2.34");
    struct timespec real_until = moved(until, -gained());
    return real(semaphore, &real_until);
}

int sem_clockwait(sem_t *semaphore, clockid_t clock, const struct timespec *until) {
    typedef int (*fn)(sem_t *, clockid_t, const struct timespec *);
    REAL(fn, "sem_clockwait", "GLIBC_2.34");
    struct timespec real_until = moved(until, -gained());
    return real(semaphore, clock, &real_until);
}
