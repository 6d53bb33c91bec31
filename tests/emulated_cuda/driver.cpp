// The CUDA driver as far as this program and Candle call it: one device, whose memory is the
// host's. What a GPU refuses is refused here: copies from and to the host, allocation outside the
// stream and waiting, all while a stream is captured.
//
// EMULATED_CUDA_DRY      counts memory and launches, and runs nothing
// EMULATED_CUDA_SHUFFLE  lets threads take turns in a random order
// EMULATED_CUDA_REPORT   prints the counts at the end
// EMULATED_CUDA_MEMORY   bytes that the device has

#include "blocks.h"

#include <sys/mman.h>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

using namespace emulated;

namespace {

enum Result { SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NOT_FOUND = 500, CAPTURE_UNSUPPORTED = 900 };

bool flag(const char* name) { return std::getenv(name) != nullptr; }
bool dry() {
  static const bool yes = flag("EMULATED_CUDA_DRY");
  return yes;
}

std::map<std::string, Kernel>& kernels() {
  static std::map<std::string, Kernel> all;
  return all;
}

struct Counts {
  size_t memory = 0, most_memory = 0, launches = 0, graph_launches = 0, waits = 0, to_host = 0;
  std::map<std::string, size_t> by_kernel;
};
Counts counts;
std::mutex lock;

size_t device_memory() {
  const char* text = std::getenv("EMULATED_CUDA_MEMORY");
  return text ? std::strtoull(text, nullptr, 10) : 16ull << 30;
}

// As the driver's pool gives memory out.
size_t granted(size_t bytes) { return (bytes + 511) / 512 * 512; }

struct Block { unsigned char* pages; size_t whole, bytes; };
std::map<uintptr_t, Block>& blocks() {
  static std::map<uintptr_t, Block> all;
  return all;
}

uintptr_t take(size_t bytes) {
  size_t page = 4096, whole = (bytes + page - 1) / page * page + 2 * page;
  void* got = mmap(nullptr, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (got == MAP_FAILED) return 0;
  auto* pages = static_cast<unsigned char*>(got);
  mprotect(pages + whole - page, page, PROT_NONE);
  unsigned char* start = pages + whole - page - (bytes + 15) / 16 * 16;
  if (!dry()) std::memset(start, 0xff, bytes);
  blocks()[uintptr_t(start)] = {pages, whole, bytes};
  return uintptr_t(start);
}
void give(uintptr_t at) {
  auto found = blocks().find(at);
  if (found == blocks().end()) fail("memory is freed that is not allocated");
  munmap(found->second.pages, found->second.whole);
  blocks().erase(found);
}
void count_memory(ptrdiff_t change) {
  counts.memory += change;
  counts.most_memory = std::max(counts.most_memory, counts.memory);
}

struct Node {
  enum Kind { KERNEL, COPY, FILL } kind;
  Launch launch;
  uintptr_t to, from;
  size_t bytes;
  unsigned char value;
};
struct Graph {
  std::vector<Node> nodes;
  // Allocated while it was captured, kept while it lives.
  std::vector<uintptr_t> own;
  size_t live = 0, most = 0;
  bool resident = false;
  ~Graph() {
    for (auto at : own) give(at);
    if (resident) counts.memory -= most;
  }
};
struct Stream { std::unique_ptr<Graph> capture; };
Stream* stream_of(void* s) {
  static Stream standard;
  return s == nullptr || s == reinterpret_cast<void*>(2) ? &standard : static_cast<Stream*>(s);
}

void execute(const Node& n) {
  switch (n.kind) {
    case Node::KERNEL:
      ++counts.by_kernel[n.launch.kernel->name];
      if (!dry()) run(n.launch);
      break;
    case Node::COPY:
      if (!dry()) std::memmove(reinterpret_cast<void*>(n.to), reinterpret_cast<void*>(n.from), n.bytes);
      break;
    case Node::FILL:
      if (!dry()) std::memset(reinterpret_cast<void*>(n.to), n.value, n.bytes);
      break;
  }
}

int submit(void* stream, Node node) {
  auto& capture = stream_of(stream)->capture;
  if (capture) {
    capture->nodes.push_back(std::move(node));
    return SUCCESS;
  }
  counts.launches += node.kind == Node::KERNEL;
  execute(node);
  return SUCCESS;
}

int capturing = 0;

struct Report {
  ~Report() {
    if (!flag("EMULATED_CUDA_REPORT")) return;
    std::fprintf(stderr, "emulated CUDA: at most %zu MB, %zu launches, %zu graph launches, %zu waits, %zu copies to the host\n",
                 counts.most_memory >> 20, counts.launches, counts.graph_launches, counts.waits, counts.to_host);
    for (auto& [name, n] : counts.by_kernel) std::fprintf(stderr, "  %8zu %s\n", n, name.c_str());
  }
} report;

}  // namespace

namespace emulated {
void add_kernel(const Kernel& k) { kernels()[std::string(k.source) + ":" + k.name] = k; }
}  // namespace emulated

#define API extern "C" __attribute__((visibility("default"))) int

// What tests ask: bytes, launches, waits.
extern "C" __attribute__((visibility("default"))) size_t emulated_cuda_count(const char* what) {
  std::lock_guard held(lock);
  std::string name = what;
  if (name == "memory") return counts.memory;
  if (name == "most memory") return counts.most_memory;
  if (name == "launches") return counts.launches;
  if (name == "graph launches") return counts.graph_launches;
  if (name == "waits") return counts.waits + counts.to_host;
  auto found = counts.by_kernel.find(name);
  return found == counts.by_kernel.end() ? 0 : found->second;
}

API cuInit(unsigned) { return SUCCESS; }
API cuDeviceGet(int* d, int) { *d = 0; return SUCCESS; }
API cuDeviceGetCount(int* n) { *n = 1; return SUCCESS; }
API cuDeviceGetName(char* to, int n, int) { std::snprintf(to, n, "Emulated GPU"); return SUCCESS; }
API cuDeviceTotalMem_v2(size_t* n, int) { *n = device_memory(); return SUCCESS; }
API cuDeviceGetAttribute(int* value, int attribute, int) {
  switch (attribute) {
    case 8: *value = 48 << 10; break;      // shared memory a block
    case 16: *value = 4; break;            // multiprocessors
    case 75: *value = 8; break;            // compute capability
    case 76: *value = 0; break;
    case 97: *value = 163 << 10; break;    // shared memory a block, asked for
    case 115: *value = 1; break;           // memory pools
    default: *value = 0;
  }
  return SUCCESS;
}
static int context;
API cuDevicePrimaryCtxRetain(void** c, int) { *c = &context; return SUCCESS; }
API cuDevicePrimaryCtxRelease_v2(int) { return SUCCESS; }
API cuCtxGetCurrent(void** c) { *c = &context; return SUCCESS; }
API cuCtxSetCurrent(void*) { return SUCCESS; }
API cuCtxSynchronize() {
  std::lock_guard held(lock);
  ++counts.waits;
  return capturing ? CAPTURE_UNSUPPORTED : SUCCESS;
}
API cuGetErrorName(int, const char** s) { *s = "EMULATED"; return SUCCESS; }
API cuGetErrorString(int e, const char** s) {
  *s = e == CAPTURE_UNSUPPORTED ? "not allowed while a stream is captured" : e == OUT_OF_MEMORY ? "out of memory" : "an error of the emulated driver";
  return SUCCESS;
}

API cuStreamCreate(void** s, unsigned) { *s = new Stream; return SUCCESS; }
API cuStreamDestroy_v2(void* s) { delete static_cast<Stream*>(s); return SUCCESS; }
API cuStreamSynchronize(void* s) {
  std::lock_guard held(lock);
  ++counts.waits;
  return stream_of(s)->capture ? CAPTURE_UNSUPPORTED : SUCCESS;
}
API cuStreamWaitEvent(void*, void*, unsigned) { return SUCCESS; }
API cuEventCreate(void** e, unsigned) { *e = new int; return SUCCESS; }
API cuEventDestroy_v2(void* e) { delete static_cast<int*>(e); return SUCCESS; }
API cuEventRecord(void*, void*) { return SUCCESS; }
API cuEventSynchronize(void*) { std::lock_guard held(lock); ++counts.waits; return SUCCESS; }
API cuEventQuery(void*) { return SUCCESS; }
API cuEventElapsedTime(float* ms, void*, void*) { *ms = 0; return SUCCESS; }

API cuDeviceGetDefaultMemPool(void** pool, int) { *pool = &context; return SUCCESS; }
API cuMemPoolSetAttribute(void*, int attribute, void* value) {
  std::lock_guard held(lock);
  // Only the marks of the most can be set, to zero.
  if (attribute == 6 || attribute == 8) counts.most_memory = counts.memory;
  return attribute == 4 || *static_cast<unsigned long long*>(value) == 0 ? SUCCESS : INVALID_VALUE;
}
API cuMemPoolGetAttribute(void*, int attribute, void* value) {
  std::lock_guard held(lock);
  // What is reserved is what is used.
  size_t answer = attribute == 5 || attribute == 7 ? counts.memory : attribute == 6 || attribute == 8 ? counts.most_memory : 0;
  *static_cast<unsigned long long*>(value) = answer;
  return SUCCESS;
}
// Graphs' memory is counted with the rest.
API cuDeviceGetGraphMemAttribute(int, int, void* value) {
  *static_cast<unsigned long long*>(value) = 0;
  return SUCCESS;
}
API cuDeviceSetGraphMemAttribute(int, int, void*) { return SUCCESS; }
API cuMemPoolTrimTo(void*, size_t) { return SUCCESS; }
API cuMemGetInfo_v2(size_t* free, size_t* whole) {
  std::lock_guard held(lock);
  *whole = device_memory(), *free = *whole - std::min(*whole, counts.memory);
  return SUCCESS;
}
API cuMemAllocAsync(uintptr_t* at, size_t bytes, void* s) {
  std::lock_guard held(lock);
  auto& capture = stream_of(s)->capture;
  if (!capture && counts.memory + granted(bytes) > device_memory()) return OUT_OF_MEMORY;
  *at = take(bytes);
  if (!*at) return OUT_OF_MEMORY;
  if (capture) {
    capture->own.push_back(*at);
    capture->live += granted(bytes);
    capture->most = std::max(capture->most, capture->live);
  } else {
    count_memory(granted(bytes));
  }
  return SUCCESS;
}
API cuMemFreeAsync(uintptr_t at, void* s) {
  std::lock_guard held(lock);
  auto& capture = stream_of(s)->capture;
  auto found = blocks().find(at);
  if (found == blocks().end()) fail("memory is freed that is not allocated");
  size_t bytes = granted(found->second.bytes);
  if (capture) {
    auto& own = capture->own;
    if (std::find(own.begin(), own.end(), at) == own.end()) fail("a graph would free memory that is not its own");
    // Kept for the replays; what it is worth is free for the graph's next allocation.
    capture->live -= bytes;
    return SUCCESS;
  }
  give(at);
  counts.memory -= bytes;
  return SUCCESS;
}
API cuMemAlloc_v2(uintptr_t* at, size_t bytes) { return capturing ? int(CAPTURE_UNSUPPORTED) : cuMemAllocAsync(at, bytes, nullptr); }
API cuMemFree_v2(uintptr_t at) { return capturing ? int(CAPTURE_UNSUPPORTED) : cuMemFreeAsync(at, nullptr); }

API cuMemcpyHtoDAsync_v2(uintptr_t to, const void* from, size_t bytes, void* s) {
  std::lock_guard held(lock);
  if (stream_of(s)->capture) return CAPTURE_UNSUPPORTED;
  std::memcpy(reinterpret_cast<void*>(to), from, bytes);
  return SUCCESS;
}
API cuMemcpyHtoD_v2(uintptr_t to, const void* from, size_t bytes) { return cuMemcpyHtoDAsync_v2(to, from, bytes, nullptr); }
API cuMemcpyDtoHAsync_v2(void* to, uintptr_t from, size_t bytes, void* s) {
  std::lock_guard held(lock);
  ++counts.to_host;
  if (stream_of(s)->capture) return CAPTURE_UNSUPPORTED;
  if (dry()) std::memset(to, 0, bytes);
  else std::memcpy(to, reinterpret_cast<void*>(from), bytes);
  return SUCCESS;
}
API cuMemcpyDtoH_v2(void* to, uintptr_t from, size_t bytes) { return cuMemcpyDtoHAsync_v2(to, from, bytes, nullptr); }
API cuMemcpyDtoDAsync_v2(uintptr_t to, uintptr_t from, size_t bytes, void* s) {
  Node node{};
  node.kind = Node::COPY, node.to = to, node.from = from, node.bytes = bytes;
  std::lock_guard held(lock);
  return submit(s, std::move(node));
}
API cuMemsetD8Async(uintptr_t to, unsigned char value, size_t bytes, void* s) {
  Node node{};
  node.kind = Node::FILL, node.to = to, node.value = value, node.bytes = bytes;
  std::lock_guard held(lock);
  return submit(s, std::move(node));
}

// A module is known by its source, which stands in what the emulated compiler wrote.
API cuModuleLoadData(void** m, const void* image) {
  static std::set<std::string> sources;
  std::string text(static_cast<const char*>(image));
  auto begin = text.find("// "), end = text.find(".cu:");
  if (begin == std::string::npos || end == std::string::npos) return NOT_FOUND;
  std::lock_guard held(lock);
  *m = const_cast<std::string*>(&*sources.insert(text.substr(begin + 3, end - begin)).first);
  return capturing ? CAPTURE_UNSUPPORTED : SUCCESS;
}
API cuModuleUnload(void*) { return SUCCESS; }
API cuModuleGetFunction(void** f, void* m, const char* name) {
  auto& source = *static_cast<std::string*>(m);
  auto found = kernels().find(source + ":" + name);
  if (found == kernels().end()) {
    std::fprintf(stderr, "emulated CUDA: no kernel `%s` in %s\n", name, source.c_str());
    return NOT_FOUND;
  }
  *f = &found->second;
  return SUCCESS;
}
API cuFuncSetAttribute(void*, int, int) { return SUCCESS; }
API cuFuncGetAttribute(int* value, int, void*) { *value = 0; return SUCCESS; }
API cuLaunchKernel(void* f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared, void* s, void** arguments, void**) {
  auto* kernel = static_cast<Kernel*>(f);
  if (!gx || !gy || !gz || gy > 65535 || gz > 65535 || bx * by * bz == 0 || bx * by * bz > 1024 || shared > 163 << 10) {
    std::fprintf(stderr, "emulated CUDA: `%s` cannot be launched as %u x %u x %u blocks of %u x %u x %u with %u bytes\n", kernel->name, gx, gy, gz, bx, by, bz, shared);
    return INVALID_VALUE;
  }
  Node node{};
  node.kind = Node::KERNEL;
  node.launch = {kernel, {gx, gy, gz}, {bx, by, bz}, shared, {}};
  for (size_t i = 0; i < kernel->sizes.size(); ++i) {
    auto* bytes = static_cast<unsigned char*>(arguments[i]);
    node.launch.arguments.emplace_back(bytes, bytes + kernel->sizes[i]);
  }
  std::lock_guard held(lock);
  return submit(s, std::move(node));
}

API cuStreamBeginCapture_v2(void* s, int) {
  std::lock_guard held(lock);
  if (s == nullptr || stream_of(s)->capture) return CAPTURE_UNSUPPORTED;
  stream_of(s)->capture = std::make_unique<Graph>();
  ++capturing;
  return SUCCESS;
}
API cuStreamEndCapture(void* s, void** graph) {
  std::lock_guard held(lock);
  *graph = stream_of(s)->capture.release();
  --capturing;
  return SUCCESS;
}
API cuStreamIsCapturing(void* s, int* status) { *status = stream_of(s)->capture ? 1 : 0; return SUCCESS; }
API cuGraphInstantiateWithFlags(void** exec, void* graph, unsigned long long) {
  std::lock_guard held(lock);
  auto* g = static_cast<Graph*>(graph);
  if (g->live) std::fprintf(stderr, "emulated CUDA: a graph leaves %zu bytes allocated\n", g->live);
  *exec = graph;
  return g->live ? INVALID_VALUE : SUCCESS;
}
API cuGraphLaunch(void* exec, void* s) {
  std::lock_guard held(lock);
  auto* g = static_cast<Graph*>(exec);
  if (stream_of(s)->capture) return CAPTURE_UNSUPPORTED;
  if (!g->resident) g->resident = true, count_memory(g->most);
  ++counts.graph_launches;
  for (auto& node : g->nodes) execute(node);
  return SUCCESS;
}
API cuGraphUpload(void*, void*) { return SUCCESS; }
API cuGraphExecDestroy(void*) { return SUCCESS; }
API cuGraphDestroy(void* g) {
  std::lock_guard held(lock);
  delete static_cast<Graph*>(g);
  return SUCCESS;
}
API cuDeviceGraphMemTrim(int) { return SUCCESS; }
