// The same work in C, for the figures beside this library's. A request is a line on stdin, "NAME
// TIMES [GUEST]"; the answer is a line with the nanoseconds it took. See c.ts.

#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define ENTRY 0x1000
#define MEMORY_SIZE (1 << 20)

// Makes the compiler read memory anew, as it must after a system call.
#define RELOAD() __asm__ volatile("" ::: "memory")

static int kvm;
static volatile long consumed;

static long check(long result, const char *call) {
  if (result < 0) err(1, "%s", call);
  return result;
}

static void *map(size_t size, int flags, int fd) {
  void *address = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);
  if (address == MAP_FAILED) err(1, "mmap");
  return address;
}

// A VM with one vCPU in real mode, from the system calls that this library makes for it.

struct machine {
  int vm, vcpu, run_size;
  uint8_t *memory;
  struct kvm_run *run;
};

static struct machine create(const uint8_t *code, size_t length) {
  struct machine m;
  m.vm = check(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
  m.run_size = check(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE");
  uint64_t identity_map = 0xfffbc000;
  check(ioctl(m.vm, KVM_SET_IDENTITY_MAP_ADDR, &identity_map), "KVM_SET_IDENTITY_MAP_ADDR");
  check(ioctl(m.vm, KVM_SET_TSS_ADDR, 0xfffbd000), "KVM_SET_TSS_ADDR");

  check(ioctl(m.vm, KVM_CHECK_EXTENSION, KVM_CAP_NR_MEMSLOTS), "KVM_CHECK_EXTENSION");
  m.memory = map(MEMORY_SIZE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
  struct kvm_userspace_memory_region region = {
    .memory_size = MEMORY_SIZE,
    .userspace_addr = (uintptr_t)m.memory,
  };
  check(ioctl(m.vm, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");
  memcpy(m.memory + ENTRY, code, length);

  m.vcpu = check(ioctl(m.vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
  m.run = map(m.run_size, MAP_SHARED, m.vcpu);
  struct kvm_sregs sregs;
  check(ioctl(m.vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
  sregs.cs.base = 0;
  sregs.cs.selector = 0;
  check(ioctl(m.vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
  struct kvm_regs regs;
  check(ioctl(m.vcpu, KVM_GET_REGS, &regs), "KVM_GET_REGS");
  regs.rip = ENTRY;
  regs.rflags = 2;
  check(ioctl(m.vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");
  return m;
}

static void destroy(struct machine m) {
  munmap(m.run, m.run_size);
  close(m.vcpu);
  close(m.vm);
  munmap(m.memory, MEMORY_SIZE);
}

static uint32_t handle(struct kvm_run *run) {
  switch (run->exit_reason) {
  case KVM_EXIT_IO: {
    uint8_t *data = (uint8_t *)run + run->io.data_offset;
    uint32_t sum = run->io.port + run->io.size + run->io.count;
    if (run->io.direction == KVM_EXIT_IO_OUT) return sum + data[0];
    uint32_t value = run->io.port;
    for (uint32_t i = 0; i < run->io.count; i++) {
      memcpy(data + i * run->io.size, &value, run->io.size);
    }
    return sum;
  }
  case KVM_EXIT_MMIO: {
    uint64_t sum = run->mmio.phys_addr + run->mmio.len;
    uint64_t value = run->mmio.phys_addr;
    if (!run->mmio.is_write) {
      memcpy(run->mmio.data, &value, sizeof value);
      return sum;
    }
    value = 0;
    memcpy(&value, run->mmio.data, run->mmio.len & 15);
    return sum + value;
  }
  default:
    errx(1, "an exit that no guest here makes: %u", run->exit_reason);
  }
}

static long exits(long times, const uint8_t *code, size_t length) {
  static struct machine m;
  static uint8_t running[64];
  static size_t running_length;
  if (running_length != length || memcmp(running, code, length)) {
    if (running_length) destroy(m);
    memcpy(running, code, length);
    running_length = length;
    m = create(code, length);
    return 0;
  }
  long sum = 0;
  for (long i = 0; i < times; i++) {
    check(ioctl(m.vcpu, KVM_RUN, 0), "KVM_RUN");
    sum ^= handle(m.run);
  }
  return sum;
}

static long life(long times, const uint8_t *code, size_t length) {
  for (long i = 0; i < times; i++) {
    struct machine m = create(code, length);
    check(ioctl(m.vcpu, KVM_RUN, 0), "KVM_RUN");
    if (m.run->exit_reason != KVM_EXIT_HLT) errx(1, "no HLT but exit %u", m.run->exit_reason);
    destroy(m);
  }
  return times;
}

static long call(long times) {
  long sum = 0;
  for (long i = 0; i < times; i++) sum += ioctl(kvm, KVM_GET_API_VERSION, 0);
  return sum;
}

// A page as KVM would leave it after each exit: the part that changes is written every time.

static union {
  struct kvm_run run;
  uint8_t bytes[3 * 4096];
} page;

static long decode_io(long times, int direction, int with_call) {
  long sum = 0;
  page.run.io.size = 4;
  page.run.io.count = 1;
  page.run.io.data_offset = 4096;
  for (long i = 0; i < times; i++) {
    if (with_call) check(ioctl(kvm, KVM_GET_API_VERSION, 0), "KVM_GET_API_VERSION");
    page.run.exit_reason = KVM_EXIT_IO;
    page.run.io.direction = direction;
    page.run.io.port = i;
    RELOAD();
    sum ^= handle(&page.run);
  }
  return sum;
}

// A device on a bus, as the machine has it: the port is looked up among others, the access happens
// under a lock, and the byte goes into a ring.

struct region {
  uint16_t start, end;
  void (*write)(uint16_t offset, uint32_t value);
};

static uint8_t ring[65536];
static uint32_t put;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void ignore(uint16_t offset, uint32_t value) { consumed = offset + value; }
static void transmit(uint16_t offset, uint32_t value) {
  if (offset == 0) ring[put++ & 0xffff] = value;
}

static const struct region bus[] = {
  {0x60, 0x61, ignore},   {0x64, 0x65, ignore},   {0x70, 0x72, ignore},    {0x80, 0x81, ignore},
  {0x92, 0x93, ignore},   {0xe9, 0xea, ignore},   {0xf4, 0xf5, ignore},    {0x3f8, 0x400, transmit},
  {0x402, 0x403, ignore}, {0x600, 0x606, ignore}, {0x608, 0x60c, ignore},  {0xcf9, 0xcfa, ignore},
};

static long dispatch(long times) {
  page.run.io.size = 1;
  page.run.io.count = 1;
  page.run.io.data_offset = 4096;
  for (long i = 0; i < times; i++) {
    page.run.exit_reason = KVM_EXIT_IO;
    page.run.io.direction = KVM_EXIT_IO_OUT;
    page.run.io.port = 0x3f8;
    RELOAD();
    int low = 0, high = sizeof bus / sizeof *bus;
    while (low < high) {
      int middle = (low + high) / 2;
      if (page.run.io.port < bus[middle].start) high = middle;
      else if (page.run.io.port >= bus[middle].end) low = middle + 1;
      else {
        pthread_mutex_lock(&lock);
        bus[middle].write(page.run.io.port - bus[middle].start, page.bytes[page.run.io.data_offset]);
        pthread_mutex_unlock(&lock);
        break;
      }
    }
  }
  return put;
}

static long decode_mmio(long times, int is_write) {
  long sum = 0;
  page.run.mmio.len = 4;
  page.run.mmio.is_write = is_write;
  for (long i = 0; i < times; i++) {
    page.run.exit_reason = KVM_EXIT_MMIO;
    page.run.mmio.phys_addr = 0xd0000000 + (i & 0xfffff);
    RELOAD();
    sum ^= handle(&page.run);
  }
  return sum;
}

// Guest memory.

struct descriptor {
  uint64_t addr;
  uint32_t len;
  uint16_t flags, next;
};

static long memory(const char *name, long times) {
  static uint8_t *m;
  if (!m) {
    m = map(MEMORY_SIZE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
    memset(m, 1, MEMORY_SIZE);
  }
  uint32_t *words = (uint32_t *)m;
  uint64_t *quads = (uint64_t *)m;
  struct descriptor *descriptors = (struct descriptor *)m;
  double sum = 0;
  uint64_t bits = 0;
  for (long i = 0; i < times; i++) {
    RELOAD();
    if (!strcmp(name, "fill64")) memset(m, i, 64);
    else if (!strcmp(name, "fill")) memset(m, i, MEMORY_SIZE);
    else if (!strcmp(name, "copy64")) memmove(m + 4096, m, 64);
    else if (!strcmp(name, "copy")) memmove(m + MEMORY_SIZE / 2, m, MEMORY_SIZE / 2);
    else if (!strcmp(name, "array32")) {
      for (int at = 0; at < 1024; at++) bits ^= words[at];
    } else if (!strcmp(name, "read32")) {
      for (int at = 0; at < 1024; at++) { RELOAD(); bits ^= words[at]; }
    } else if (!strcmp(name, "write32")) {
      for (int at = 0; at < 1024; at++) { RELOAD(); words[at] = at; }
    } else if (!strcmp(name, "read64")) {
      for (int at = 0; at < 1024; at++) { RELOAD(); bits ^= quads[at]; }
    } else if (!strcmp(name, "struct")) {
      for (int at = 0; at < 256; at++) {
        RELOAD();
        struct descriptor *d = &descriptors[at];
        sum += (double)d->addr + d->len + d->flags + d->next;
      }
    } else errx(1, "no benchmark %s", name);
  }
  return (long)sum + bits;
}

static long work(const char *name, long times, const uint8_t *code, size_t length) {
  if (!strcmp(name, "call")) return call(times);
  if (!strcmp(name, "exits")) return exits(times, code, length);
  if (!strcmp(name, "life")) return life(times, code, length);
  if (!strcmp(name, "out")) return decode_io(times, KVM_EXIT_IO_OUT, 0);
  if (!strcmp(name, "in")) return decode_io(times, KVM_EXIT_IO_IN, 0);
  if (!strcmp(name, "call+out")) return decode_io(times, KVM_EXIT_IO_OUT, 1);
  if (!strcmp(name, "dispatch")) return dispatch(times);
  if (!strcmp(name, "mmio-write")) return decode_mmio(times, 1);
  if (!strcmp(name, "mmio-read")) return decode_mmio(times, 0);
  return memory(name, times);
}

// A monitor is rarely alone in its process: one thread waits for a console while another runs the
// vCPU, and every JavaScript runtime has several. In a process with more than one thread the kernel
// counts references to the open file in each system call (fdget), which takes it longer. This one
// sleeps.
static void *sleep_forever(void *unused) {
  for (;;) pause();
  return unused;
}

int main(void) {
  pthread_t sleeper;
  if (pthread_create(&sleeper, NULL, sleep_forever, NULL)) errx(1, "pthread_create");
  char name[32], hex[129];
  long times;
  char line[256];
  kvm = check(open("/dev/kvm", O_RDWR | O_CLOEXEC), "open /dev/kvm");
  while (fgets(line, sizeof line, stdin)) {
    uint8_t code[64];
    size_t length = 0;
    hex[0] = 0;
    if (sscanf(line, "%31s %ld %128s", name, &times, hex) < 2) errx(1, "no request: %s", line);
    for (; sscanf(hex + 2 * length, "%2hhx", &code[length]) == 1; length++) {}
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    consumed += work(name, times, code, length);
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%ld\n", (end.tv_sec - start.tv_sec) * 1000000000 + end.tv_nsec - start.tv_nsec);
    fflush(stdout);
  }
}
