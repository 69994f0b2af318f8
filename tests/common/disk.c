/* Preloaded into a server. While the file that DISK_IS_FULL names exists, every write that would grow a file fails. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static int is_full(int fd, off_t end) {
    const char *flag = getenv("DISK_IS_FULL");
    struct stat file;
    int before = errno;
    int full = flag && access(flag, F_OK) == 0 && fstat(fd, &file) == 0 && S_ISREG(file.st_mode) && end > file.st_size;
    errno = full ? ENOSPC : before;
    return full;
}

static off_t length(const struct iovec *parts, int count) {
    off_t sum = 0;
    for (int i = 0; i < count; i++) sum += parts[i].iov_len;
    return sum;
}

#define NEXT(name, type) ((type)dlsym(RTLD_NEXT, name))

ssize_t write(int fd, const void *bytes, size_t n) {
    off_t at = lseek(fd, 0, SEEK_CUR);
    if (at >= 0 && is_full(fd, at + n)) return -1;
    return NEXT("write", ssize_t (*)(int, const void *, size_t))(fd, bytes, n);
}

#define POSITIONED(name)                                                                                       \
    ssize_t name(int fd, const void *bytes, size_t n, off_t at) {                                              \
        if (is_full(fd, at + n)) return -1;                                                                    \
        return NEXT(#name, ssize_t (*)(int, const void *, size_t, off_t))(fd, bytes, n, at);                   \
    }
POSITIONED(pwrite)
POSITIONED(pwrite64)

#define GATHERED(name)                                                                                         \
    ssize_t name(int fd, const struct iovec *parts, int count, off_t at) {                                     \
        if (is_full(fd, at + length(parts, count))) return -1;                                                 \
        return NEXT(#name, ssize_t (*)(int, const struct iovec *, int, off_t))(fd, parts, count, at);          \
    }
GATHERED(pwritev)
GATHERED(pwritev64)

#define ALLOCATED(name)                                                                                        \
    int name(int fd, off_t at, off_t n) {                                                                      \
        if (is_full(fd, at + n)) return ENOSPC;                                                                \
        return NEXT(#name, int (*)(int, off_t, off_t))(fd, at, n);                                             \
    }
ALLOCATED(posix_fallocate)
ALLOCATED(posix_fallocate64)
