/*
 * Counts the system calls of a program that change files below given
 * directories, in one counter over all threads and children, and does one thing
 * at one of them: kill, fail or write short.
 *
 *   tracer LOG DIR[:DIR...] POINT ACTION PROGRAM [ARGUMENT...]
 *
 * POINT 0 only lists. ACTION is one of
 *   list                  nothing
 *   kill-before           SIGKILL when the call has not been made
 *   kill-after            SIGKILL when the call has returned
 *   signal:NUMBER         the program gets that signal when the call begins
 *   fail:ERRNO:once       the call is not made and fails
 *   fail:ERRNO:on         and so does every later one, MAX_FAILURES at most: a
 *                         runtime that calls again on EINTR would never end
 *   fail:ERRNO:same       and so does every later one of the same name
 *   short:BYTES           a write is given this many bytes at most
 *
 * LOG gets one JSON object a line for each point, with "hit" where the action
 * was done, and without "result" where the call never returned. A seccomp filter lets only the listed calls stop, so that a program
 * runs at nearly its own speed. Linux on x86-64 only.
 *
 * strace(1) counts `when=N` per thread, and so cannot say what comes Nth in a
 * program that has a pool of threads; this is why this file exists.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __NR_fchmodat2
#define __NR_fchmodat2 452
#endif

/* What the arguments of a call mean. */
enum shape {
  OPEN,       /* path, flags, mode */
  CREAT,      /* path, mode */
  OPENAT,     /* dirfd, path, flags, mode */
  OPENAT2,    /* dirfd, path, struct open_how */
  PATH,       /* path, number */
  LPATH,      /* the same, not following a link */
  ATPATH,     /* dirfd, path, number */
  LATPATH,    /* the same, not following a link */
  TWO,        /* old path, new path */
  ATTWO,      /* old dirfd, old path, new dirfd, new path, flags */
  SYMLINK,    /* target, new path */
  SYMLINKAT,  /* target, new dirfd, new path */
  FD,         /* fd, number */
  WRITE,      /* fd, buffer, length */
  PWRITE,     /* fd, buffer, length, offset */
  WRITEV,     /* fd, iovec, count */
  PWRITEV,    /* fd, iovec, count, offset */
  OUT_FD2,    /* fd in, offset in, fd out */
};

static const struct call {
  int number;
  enum shape shape;
  const char *name;
} CALLS[] = {
#define CALL(name, shape) {__NR_##name, shape, #name}
    CALL(open, OPEN), CALL(creat, CREAT), CALL(openat, OPENAT),
    CALL(openat2, OPENAT2), CALL(write, WRITE), CALL(pwrite64, PWRITE),
    CALL(writev, WRITEV), CALL(pwritev, PWRITEV), CALL(pwritev2, PWRITEV),
    CALL(ftruncate, FD), CALL(truncate, PATH), CALL(fallocate, FD),
    CALL(copy_file_range, OUT_FD2), CALL(sendfile, FD), CALL(rename, TWO),
    CALL(renameat, ATTWO), CALL(renameat2, ATTWO), CALL(link, TWO),
    CALL(linkat, ATTWO), CALL(symlink, SYMLINK), CALL(symlinkat, SYMLINKAT),
    CALL(unlink, LPATH), CALL(unlinkat, LATPATH), CALL(rmdir, LPATH),
    CALL(mkdir, LPATH), CALL(mkdirat, LATPATH), CALL(chmod, PATH),
    CALL(fchmod, FD), CALL(fchmodat, ATPATH), CALL(fchmodat2, ATPATH),
    CALL(chown, PATH), CALL(fchown, FD), CALL(lchown, LPATH),
    CALL(fchownat, ATPATH), CALL(fsync, FD), CALL(fdatasync, FD),
    CALL(syncfs, FD), CALL(sync_file_range, FD),
};
#define CALL_COUNT (sizeof CALLS / sizeof CALLS[0])

/* One thread, and the point that it is in. */
struct task {
  pid_t tid;
  long point;
  int opens;
  unsigned long long restore_length;
  int restores;
  char line[3 * PATH_MAX + 2 * 1024 * 1024 + 512];
  size_t used;
};
#define MAX_TASKS 256
static struct task *tasks[MAX_TASKS];

static int log_fd = -1;
static char *directories;
static long point_count, planned, failure_count;
/* More than a program may try again, less than a log can hold. */
#define MAX_FAILURES 1000
static const char *action, *failing_name;
static pid_t first_child;

static void die(const char *what) {
  fprintf(stderr, "tracer: %s: %s\n", what, strerror(errno));
  exit(125);
}

static struct task *task_of(pid_t tid) {
  int unused = -1;
  for (int i = 0; i < MAX_TASKS; i++) {
    if (tasks[i] && tasks[i]->tid == tid) return tasks[i];
    if (!tasks[i] && unused < 0) unused = i;
  }
  if (unused < 0) {
    errno = EAGAIN;
    die("too many threads");
  }
  tasks[unused] = calloc(1, sizeof(struct task));
  if (!tasks[unused]) die("memory");
  tasks[unused]->tid = tid;
  return tasks[unused];
}

static void add(struct task *t, const char *format, ...) {
  va_list args;
  va_start(args, format);
  t->used += vsnprintf(t->line + t->used, sizeof t->line - t->used, format, args);
  va_end(args);
  if (t->used >= sizeof t->line) {
    errno = E2BIG;
    die("line");
  }
}

static void add_text(struct task *t, const char *key, const char *text) {
  add(t, ",\"%s\":\"", key);
  for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
    if (*c == '"' || *c == '\\') add(t, "\\%c", *c);
    else if (*c < 0x20) add(t, "\\u%04x", *c);
    else add(t, "%c", *c);
  }
  add(t, "\"");
}

static size_t read_memory(pid_t tid, unsigned long long at, void *to, size_t size) {
  struct iovec local = {to, size}, remote = {(void *)at, size};
  ssize_t got = process_vm_readv(tid, &local, 1, &remote, 1, 0);
  return got < 0 ? 0 : (size_t)got;
}

static void read_text(pid_t tid, unsigned long long at, char to[PATH_MAX]) {
  /* Page by page: what follows the text may not be mapped. */
  size_t used = 0;
  while (used < PATH_MAX - 1) {
    size_t chunk = 4096 - (at + used) % 4096;
    if (chunk > PATH_MAX - 1 - used) chunk = PATH_MAX - 1 - used;
    size_t got = read_memory(tid, at + used, to + used, chunk);
    if (got == 0 || memchr(to + used, 0, got)) break;
    used += got;
  }
  to[PATH_MAX - 1] = 0;
}

/* What /proc says that an fd, or the working directory, leads to. */
static int proc_link(pid_t tid, int fd, char to[PATH_MAX]) {
  char name[64];
  if (fd == AT_FDCWD) snprintf(name, sizeof name, "/proc/%d/cwd", tid);
  else snprintf(name, sizeof name, "/proc/%d/fd/%d", tid, fd);
  ssize_t length = readlink(name, to, PATH_MAX - 1);
  if (length < 0) return 0;
  to[length] = 0;
  char *deleted = strstr(to, " (deleted)");
  if (deleted && deleted[10] == 0) *deleted = 0;
  return to[0] == '/';
}

/* The path that a call means: its directory, and with `follow` its end, real. */
static int resolve(pid_t tid, int dirfd, unsigned long long at, int follow,
                   char to[PATH_MAX]) {
  char given[PATH_MAX], whole[2 * PATH_MAX], parent[PATH_MAX];
  memset(given, 0, sizeof given);
  read_text(tid, at, given);
  if (given[0] == 0) return proc_link(tid, dirfd, to);
  if (given[0] == '/') {
    snprintf(whole, sizeof whole, "%s", given);
  } else {
    if (!proc_link(tid, dirfd, parent)) return 0;
    snprintf(whole, sizeof whole, "%s/%s", parent, given);
  }
  if (follow && realpath(whole, to)) return 1;
  char *slash = strrchr(whole, '/');
  *slash = 0;
  if (!realpath(slash == whole ? "/" : whole, parent)) return 0;
  int used = snprintf(to, PATH_MAX, "%s/%s", strcmp(parent, "/") ? parent : "", slash + 1);
  return used < PATH_MAX;
}

static int is_inside(const char *path) {
  for (char *dir = directories; *dir; dir += strlen(dir) + 1) {
    size_t length = strlen(dir);
    if (!strncmp(path, dir, length) && (path[length] == 0 || path[length] == '/')) return 1;
  }
  return 0;
}

static void add_inode(struct task *t, int fd) {
  char name[64];
  struct stat info;
  snprintf(name, sizeof name, "/proc/%d/fd/%d", t->tid, fd);
  if (stat(name, &info) < 0) return;
  add(t, ",\"inode\":\"%lu:%lu\",\"directory\":%s", info.st_dev, info.st_ino,
      S_ISDIR(info.st_mode) ? "true" : "false");
}

/* Where a write goes: the position, or with O_APPEND the end. */
static long long position(pid_t tid, int fd) {
  char name[64], text[512] = "";
  snprintf(name, sizeof name, "/proc/%d/fdinfo/%d", tid, fd);
  int info = open(name, O_RDONLY | O_CLOEXEC);
  if (info < 0) return 0;
  ssize_t got = read(info, text, sizeof text - 1);
  close(info);
  if (got < 0) return 0;
  long long at = 0;
  unsigned flags = 0;
  sscanf(text, "pos: %lld flags: %o", &at, &flags);
  if (!(flags & O_APPEND)) return at;
  struct stat file;
  snprintf(name, sizeof name, "/proc/%d/fd/%d", tid, fd);
  return stat(name, &file) < 0 ? 0 : file.st_size;
}

static void add_bytes(struct task *t, unsigned long long at, size_t length) {
  unsigned char buffer[4096];
  while (length > 0) {
    size_t chunk = length < sizeof buffer ? length : sizeof buffer;
    size_t got = read_memory(t->tid, at, buffer, chunk);
    if (got == 0) return;
    for (size_t i = 0; i < got; i++) add(t, "%02x", buffer[i]);
    at += got;
    length -= got;
  }
}

static void add_data(struct task *t, const struct call *call, const unsigned long long *a) {
  int is_vector = call->shape == WRITEV || call->shape == PWRITEV;
  int is_placed = call->shape == PWRITE || call->shape == PWRITEV;
  add(t, ",\"offset\":%lld,\"data\":\"",
      is_placed ? (long long)a[3] : position(t->tid, (int)a[0]));
  if (!is_vector) {
    add_bytes(t, a[1], a[2]);
  } else {
    for (unsigned long long i = 0; i < a[2]; i++) {
      struct iovec part;
      if (read_memory(t->tid, a[1] + i * sizeof part, &part, sizeof part) < sizeof part) break;
      add_bytes(t, (unsigned long long)part.iov_base, part.iov_len);
    }
  }
  add(t, "\"");
}

static int is_writing(unsigned long long flags) {
  return (flags & (O_CREAT | O_TRUNC)) || (flags & O_ACCMODE) != O_RDONLY;
}

/* Describes a call that concerns the directories; 0 when it does not. */
static int describe(struct task *t, const struct call *call, const unsigned long long *a) {
  char path[PATH_MAX] = "", second[PATH_MAX] = "";
  pid_t tid = t->tid;
  unsigned long long flags = 0, mode = 0, group = 0;
  int is_known;
  switch (call->shape) {
    case OPEN: case CREAT: case OPENAT: case OPENAT2: {
      int at = call->shape == OPENAT || call->shape == OPENAT2;
      flags = call->shape == CREAT ? O_CREAT | O_TRUNC | O_WRONLY : a[1 + at];
      mode = call->shape == CREAT ? a[1] : a[2 + at];
      if (call->shape == OPENAT2) {
        unsigned long long how[2] = {0, 0};
        read_memory(tid, a[2], how, sizeof how);
        flags = how[0];
        mode = how[1];
      }
      if (!is_writing(flags)) return 0;
      is_known = resolve(tid, at ? (int)a[0] : AT_FDCWD, a[at], !(flags & (O_EXCL | O_NOFOLLOW)), path);
      break;
    }
    case PATH: case LPATH:
      is_known = resolve(tid, AT_FDCWD, a[0], call->shape == PATH, path);
      mode = a[1];
      group = a[2];
      break;
    case ATPATH: case LATPATH:
      is_known = resolve(tid, (int)a[0], a[1], call->shape == ATPATH, path);
      mode = a[2];
      group = a[3];
      break;
    case TWO: case ATTWO: {
      int at = call->shape == ATTWO;
      is_known = resolve(tid, at ? (int)a[0] : AT_FDCWD, a[at], 0, path) &
                 resolve(tid, at ? (int)a[2] : AT_FDCWD, a[at ? 3 : 1], 0, second);
      if (at) flags = a[4];
      break;
    }
    case SYMLINK: case SYMLINKAT: {
      int at = call->shape == SYMLINKAT;
      char target[PATH_MAX] = "";
      read_text(tid, a[0], target);
      is_known = resolve(tid, at ? (int)a[1] : AT_FDCWD, a[1 + at], 0, path);
      snprintf(second, sizeof second, "%s", target);
      break;
    }
    case OUT_FD2:
      is_known = proc_link(tid, (int)a[2], path);
      break;
    default:
      is_known = proc_link(tid, (int)a[0], path);
      mode = a[1];
      group = a[2];
  }
  int is_link = call->shape == SYMLINK || call->shape == SYMLINKAT;
  if (!is_known || !(is_inside(path) || (second[0] && !is_link && is_inside(second)))) return 0;
  t->used = 0;
  add(t, "{\"point\":%ld,\"thread\":%d,\"call\":\"%s\"", point_count + 1, tid, call->name);
  add_text(t, "path", path);
  if (second[0]) add_text(t, "second", second);
  if (call->shape <= OPENAT2) add(t, ",\"flags\":%llu", flags);
  if (call->shape == ATTWO && flags) add(t, ",\"flags\":%llu", flags);
  if (call->shape < WRITE) add(t, ",\"mode\":%llu", mode);
  if (strstr(call->name, "chown")) add(t, ",\"group\":%llu", group);
  if (call->shape >= FD) add_inode(t, (int)(call->shape == OUT_FD2 ? a[2] : a[0]));
  if (call->shape >= WRITE && call->shape <= PWRITEV) add_data(t, call, a);
  return 1;
}

static void finish_line(struct task *t) {
  add(t, "}\n");
  for (size_t done = 0; done < t->used;) {
    ssize_t count = write(log_fd, t->line + done, t->used - done);
    if (count < 0) die("log");
    done += count;
  }
  t->point = 0;
}

/* A thread that ended; in the middle of a call when its process exited. */
static void forget(pid_t tid) {
  for (int i = 0; i < MAX_TASKS; i++) {
    if (!tasks[i] || tasks[i]->tid != tid) continue;
    if (tasks[i]->point) finish_line(tasks[i]);
    free(tasks[i]);
    tasks[i] = NULL;
  }
}

static void kill_all(struct task *t) {
  add_text(t, "hit", action);
  finish_line(t);
  /* Threads die with their process; PTRACE_O_EXITKILL takes the children. */
  char name[64], text[4096] = "";
  snprintf(name, sizeof name, "/proc/%d/status", t->tid);
  int status = open(name, O_RDONLY | O_CLOEXEC);
  if (status < 0 || read(status, text, sizeof text - 1) < 0) die("status");
  close(status);
  const char *group = strstr(text, "Tgid:");
  kill(group ? atoi(group + 5) : t->tid, SIGKILL);
  kill(first_child, SIGKILL);
}

/* At the entry of a call. Returns how the thread goes on. */
static enum __ptrace_request enter(pid_t tid) {
  struct user_regs_struct regs;
  if (ptrace(PTRACE_GETREGS, tid, 0, &regs) < 0) return PTRACE_CONT;
  const struct call *call = NULL;
  for (size_t i = 0; i < CALL_COUNT; i++)
    if (CALLS[i].number == (int)regs.orig_rax) call = &CALLS[i];
  if (!call) return PTRACE_CONT;
  unsigned long long a[6] = {regs.rdi, regs.rsi, regs.rdx, regs.r10, regs.r8, regs.r9};
  struct task *t = task_of(tid);
  if (!describe(t, call, a)) return PTRACE_CONT;
  t->point = ++point_count;
  t->opens = call->shape <= OPENAT2;
  t->restores = 0;
  int is_planned = t->point == planned;
  int error = 0;
  char when[8] = "";
  if (is_planned && !strcmp(action, "kill-before")) {
    kill_all(t);
    return PTRACE_CONT;
  }
  if (is_planned && sscanf(action, "signal:%d", &error) == 1) {
    add_text(t, "hit", action);
    kill(first_child, error);
    return PTRACE_SYSCALL;
  }
  if (planned > 0 && t->point >= planned && sscanf(action, "fail:%d:%7s", &error, when) == 2) {
    if (is_planned) failing_name = call->name;
    int fails = is_planned || !strcmp(when, "on") ||
                (!strcmp(when, "same") && !strcmp(call->name, failing_name));
    if (fails && failure_count++ < MAX_FAILURES) {
      regs.orig_rax = -1;
      regs.rax = -error;
      if (ptrace(PTRACE_SETREGS, tid, 0, &regs) < 0) die("fail a call");
      add(t, ",\"result\":%d", -error);
      add_text(t, "hit", action);
      finish_line(t);
      return PTRACE_CONT;
    }
  }
  if (is_planned && !strncmp(action, "short:", 6) &&
      call->shape >= WRITE && call->shape <= PWRITEV) {
    unsigned long long most = strtoull(action + 6, NULL, 10);
    int is_vector = call->shape == WRITEV || call->shape == PWRITEV;
    t->restores = 1;
    t->restore_length = regs.rdx;
    if (is_vector) most = 1;
    if (regs.rdx > most) {
      regs.rdx = most;
      if (ptrace(PTRACE_SETREGS, tid, 0, &regs) < 0) die("shorten a write");
      add_text(t, "hit", action);
    }
  }
  return PTRACE_SYSCALL;
}

/* At the end of a call that was counted. */
static void leave(pid_t tid) {
  struct task *t = task_of(tid);
  struct user_regs_struct regs;
  if (t->point == 0 || ptrace(PTRACE_GETREGS, tid, 0, &regs) < 0) return;
  long long result = (long long)regs.rax;
  if (t->restores) {
    regs.rdx = t->restore_length;
    if (ptrace(PTRACE_SETREGS, tid, 0, &regs) < 0) die("restore a register");
  }
  add(t, ",\"result\":%lld", result);
  if (result >= 0 && t->opens) add_inode(t, (int)result);
  if (t->point == planned && !strcmp(action, "kill-after")) kill_all(t);
  else finish_line(t);
}

static void install_filter(void) {
  struct sock_filter filter[CALL_COUNT + 4];
  size_t n = 0;
  filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  for (size_t i = 0; i < CALL_COUNT; i++)
    filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CALLS[i].number, CALL_COUNT - i, 0);
  filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
  struct sock_fprog program = {n, filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) die("no_new_privs");
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) die("seccomp");
}

static pid_t start(char **command) {
  int gate[2];
  if (pipe(gate) < 0) die("pipe");
  pid_t child = fork();
  if (child < 0) die("fork");
  if (child == 0) {
    char byte;
    close(gate[1]);
    if (read(gate[0], &byte, 1) != 1) _exit(125);
    close(gate[0]);
    install_filter();
    execvp(command[0], command);
    die(command[0]);
  }
  long options = PTRACE_O_EXITKILL | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD |
                 PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC;
  if (ptrace(PTRACE_SEIZE, child, 0, options) < 0) die("ptrace");
  if (write(gate[1], "", 1) != 1) die("gate");
  close(gate[0]);
  close(gate[1]);
  return child;
}

static int follow(void) {
  int code = 125, status;
  for (pid_t tid; (tid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR;) {
    if (tid < 0) continue;
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
      if (tid == first_child)
        code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      forget(tid);
      continue;
    }
    int signal = WSTOPSIG(status), event = status >> 16;
    enum __ptrace_request on = PTRACE_CONT;
    if (event == PTRACE_EVENT_SECCOMP) {
      on = enter(tid);
      signal = 0;
    } else if (signal == (SIGTRAP | 0x80)) {
      leave(tid);
      signal = 0;
    } else if (event == PTRACE_EVENT_STOP) {
      if (signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU) on = PTRACE_LISTEN;
      signal = 0;
    } else if (event != 0) {
      signal = 0;
    }
    ptrace(on, tid, 0, signal);
  }
  return code;
}

int main(int argc, char **argv) {
  if (argc < 6) {
    fprintf(stderr, "usage: tracer LOG DIR[:DIR...] POINT ACTION PROGRAM [ARGUMENT...]\n");
    return 125;
  }
  log_fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (log_fd < 0) die(argv[1]);
  /* A list of texts that ends with an empty one. */
  directories = calloc(1, strlen(argv[2]) + 2);
  strcpy(directories, argv[2]);
  for (char *c = directories; *c; c++) if (*c == ':') *c = 0;
  planned = atol(argv[3]);
  action = argv[4];
  first_child = start(argv + 5);
  int code = follow();
  dprintf(log_fd, "{\"end\":%d}\n", code);
  return code;
}
