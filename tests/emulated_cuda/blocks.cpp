// Threads of a block as fibers. A fiber runs until it waits at a barrier; the barrier opens when
// every thread that has not ended waits at it.

#include "blocks.h"

#include <sys/mman.h>
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <numeric>
#include <random>
#include <thread>
#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace emulated {

thread_local Thread* here = nullptr;
thread_local uint3 block_index;
thread_local dim3 block_size, grid_size;

void fail(const char* what) {
  std::fprintf(stderr, "emulated CUDA: %s\n", what);
  std::abort();
}

namespace {

constexpr size_t STACK = 128 << 10;

#if defined(__x86_64__)
extern "C" void emulated_switch(void** save, void* to);
asm(R"(
.globl emulated_switch
.type emulated_switch, @function
emulated_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size emulated_switch, .-emulated_switch
)");
struct Context { void* top = nullptr; };
void change(Context& from, Context& to) { emulated_switch(&from.top, to.top); }
void prepare(Context& c, unsigned char* stack, void (*start)()) {
  // As after a call: 8 below a multiple of 16.
  auto* top = reinterpret_cast<void**>(stack + STACK) - 1;
  *--top = reinterpret_cast<void*>(start);
  for (int i = 0; i < 6; ++i) *--top = nullptr;
  c.top = top;
}
#else
struct Context { ucontext_t context; };
void change(Context& from, Context& to) { swapcontext(&from.context, &to.context); }
void prepare(Context& c, unsigned char* stack, void (*start)()) {
  getcontext(&c.context);
  c.context.uc_stack.ss_sp = stack;
  c.context.uc_stack.ss_size = STACK;
  c.context.uc_link = nullptr;
  makecontext(&c.context, start, 0);
}
#endif

enum State : unsigned char { READY, AT_WARP, AT_BLOCK, ENDED };

struct Fiber {
  Thread thread;
  Context context;
  State state;
};

// Its own pages, and one behind them that nothing may touch.
struct Guarded {
  unsigned char *pages = nullptr, *start = nullptr;
  size_t whole = 0;
  void fit(size_t bytes) {
    size_t page = 4096, need = (bytes + page - 1) / page * page + page;
    if (need > whole) {
      if (pages) munmap(pages, whole);
      void* got = mmap(nullptr, need, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (got == MAP_FAILED) fail("out of memory");
      pages = static_cast<unsigned char*>(got), whole = need;
      mprotect(pages + whole - page, page, PROT_NONE);
    }
    start = pages + whole - page - (bytes + 15) / 16 * 16;
    std::memset(start, 0xff, bytes);
  }
};

struct Worker {
  std::vector<Fiber> fibers;
  std::vector<unsigned char*> stacks;
  std::vector<Warp> warps;
  Guarded shared;
  Context home;
  Fiber* now = nullptr;
  const Launch* launch = nullptr;
  std::vector<void*> arguments;
  std::vector<unsigned> order;
  std::mt19937 random{1};
};
thread_local Worker* worker = nullptr;

void fiber_main() {
  Worker* w = worker;
  w->launch->kernel->run(w->arguments.data());
  w->now->state = ENDED;
  for (;;) change(w->now->context, w->home);
}

void wait_as(State state) {
  Worker* w = worker;
  w->now->state = state;
  change(w->now->context, w->home);
}

bool shuffle_order() {
  static const bool yes = std::getenv("EMULATED_CUDA_SHUFFLE") != nullptr;
  return yes;
}

// Runs the lanes of a warp until all have ended or wait for the block.
bool run_warp(Worker& w, unsigned first, unsigned last) {
  bool ran = false;
  std::vector<unsigned>& order = w.order;
  order.resize(last - first);
  std::iota(order.begin(), order.end(), first);
  for (;;) {
    if (shuffle_order()) std::shuffle(order.begin(), order.end(), w.random);
    unsigned at_warp = 0, at_block = 0;
    for (unsigned i : order) {
      Fiber& f = w.fibers[i];
      if (f.state == READY) {
        ran = true;
        w.now = &f, here = &f.thread;
        change(w.home, f.context);
      }
    }
    for (unsigned i : order) {
      at_warp += w.fibers[i].state == AT_WARP;
      at_block += w.fibers[i].state == AT_BLOCK;
    }
    if (at_warp == 0) return ran;
    if (at_block) fail("lanes of one warp wait at different barriers");
    for (unsigned i : order)
      if (w.fibers[i].state == AT_WARP) w.fibers[i].state = READY;
  }
}

void run_block(Worker& w, const Launch& launch, unsigned long long number) {
  const dim3 &g = launch.grid, &b = launch.block;
  block_index = {unsigned(number % g.x), unsigned(number / g.x % g.y), unsigned(number / g.x / g.y)};
  block_size = b, grid_size = g;
  unsigned n = b.x * b.y * b.z;
  if (w.fibers.size() < n) w.fibers.resize(n), w.warps.resize((n + 31) / 32);
  while (w.stacks.size() < n) {
    void* got = mmap(nullptr, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (got == MAP_FAILED) fail("out of memory");
    w.stacks.push_back(static_cast<unsigned char*>(got));
  }
  w.shared.fit(launch.shared_bytes);
  for (unsigned i = 0; i < n; ++i) {
    Fiber& f = w.fibers[i];
    f.thread.index = {i % b.x, i / b.x % b.y, i / b.x / b.y};
    f.thread.lane = i % 32, f.thread.number = i, f.thread.phase = 0;
    f.thread.warp = &w.warps[i / 32];
    f.thread.copies.clear(), f.thread.committed.clear();
    f.state = READY;
    prepare(f.context, w.stacks[i], fiber_main);
  }
  std::vector<unsigned> warps((n + 31) / 32);
  std::iota(warps.begin(), warps.end(), 0);
  for (;;) {
    if (shuffle_order()) std::shuffle(warps.begin(), warps.end(), w.random);
    bool ran = false;
    for (unsigned i : warps) ran |= run_warp(w, 32 * i, std::min(32 * i + 32, n));
    unsigned ended = 0;
    for (unsigned i = 0; i < n; ++i) {
      ended += w.fibers[i].state == ENDED;
      if (w.fibers[i].state == AT_BLOCK) w.fibers[i].state = READY;
    }
    if (ended == n) return;
    if (!ran) fail("a block that waits for ever");
  }
}

}  // namespace

unsigned char* dynamic_shared() { return worker->shared.start; }
void block_barrier() { wait_as(AT_BLOCK); }
void warp_barrier() { wait_as(AT_WARP); }

namespace {

// Helpers that live as long as the process: their stacks are costly.
struct Team {
  std::mutex lock;
  std::condition_variable called, finished;
  const std::function<void()>* job = nullptr;
  unsigned wanted = 0, running = 0;

  explicit Team(unsigned helpers) {
    for (unsigned i = 0; i < helpers; ++i) std::thread([this] { serve(); }).detach();
  }
  void serve() {
    std::unique_lock held(lock);
    for (;;) {
      called.wait(held, [this] { return wanted > 0; });
      --wanted, ++running;
      const auto* mine = job;
      held.unlock();
      (*mine)();
      held.lock();
      if (--running == 0 && wanted == 0) finished.notify_all();
    }
  }
  void run(const std::function<void()>& work, unsigned helpers) {
    {
      std::lock_guard held(lock);
      job = &work, wanted = helpers;
    }
    called.notify_all();
    work();
    std::unique_lock held(lock);
    wanted = 0;
    finished.wait(held, [this] { return running == 0; });
  }
};

}  // namespace

void run(const Launch& launch) {
  // One launch at a time, as on one stream.
  static std::mutex one;
  std::lock_guard held(one);
  unsigned long long blocks = 1ull * launch.grid.x * launch.grid.y * launch.grid.z;
  std::atomic<unsigned long long> next{0};
  std::function<void()> work = [&] {
    static thread_local Worker own;
    worker = &own;
    own.launch = &launch;
    auto arguments = launch.arguments;
    own.arguments.clear();
    for (auto& a : arguments) own.arguments.push_back(a.data());
    for (unsigned long long i; (i = next++) < blocks;) run_block(own, launch, i);
  };
  static const unsigned threads = std::max(1u, std::thread::hardware_concurrency());
  static Team* team = new Team(threads - 1);
  team->run(work, unsigned(std::min<unsigned long long>(threads, blocks)) - 1);
}

}  // namespace emulated
