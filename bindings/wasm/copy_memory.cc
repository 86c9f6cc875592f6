// memcpy(), memmove() and memset() as instructions of WebAssembly. Emscripten's, where code is
// compiled for size, go byte by byte, which took more time than what is done with the bytes. V8
// calls a function for the instruction, so what is short is done in words.
#include <cstddef>
#include <cstdint>

// Without a loop that the compiler could take for one of these functions.
#define PTQ_BULK __attribute__((target("bulk-memory")))

namespace {

constexpr size_t kShort = 16;

template <typename Word>
struct [[gnu::packed, gnu::may_alias]] Unaligned {
  Word value;
};

// Of `bytes` from one to two words: the first and the last one, which may overlap.
template <typename Word>
void CopyWords(char* to, const char* from, size_t bytes) {
  const size_t last = bytes - sizeof(Word);
  const Word begin = reinterpret_cast<const Unaligned<Word>*>(from)->value;
  const Word end = reinterpret_cast<const Unaligned<Word>*>(from + last)->value;
  reinterpret_cast<Unaligned<Word>*>(to)->value = begin;
  reinterpret_cast<Unaligned<Word>*>(to + last)->value = end;
}

template <typename Word>
void SetWords(char* to, Word word, size_t bytes) {
  reinterpret_cast<Unaligned<Word>*>(to)->value = word;
  reinterpret_cast<Unaligned<Word>*>(to + bytes - sizeof(Word))->value = word;
}

PTQ_BULK void* Copy(void* to, const void* from, size_t bytes) {
  char* const target = static_cast<char*>(to);
  const char* const source = static_cast<const char*>(from);
  if (bytes > kShort) {
    __builtin_memmove(target, source, bytes);
  } else if (bytes >= 8) {
    CopyWords<uint64_t>(target, source, bytes);
  } else if (bytes >= 4) {
    CopyWords<uint32_t>(target, source, bytes);
  } else if (bytes >= 2) {
    CopyWords<uint16_t>(target, source, bytes);
  } else if (bytes == 1) {
    *target = *source;
  }
  return to;
}

}  // namespace

extern "C" {

PTQ_BULK void* memmove(void* to, const void* from, size_t bytes) { return Copy(to, from, bytes); }

PTQ_BULK void* memcpy(void* to, const void* from, size_t bytes) { return Copy(to, from, bytes); }

PTQ_BULK void* memset(void* to, int value, size_t bytes) {
  char* const target = static_cast<char*>(to);
  const uint64_t word = 0x0101010101010101U * static_cast<uint8_t>(value);
  if (bytes > kShort) {
    __builtin_memset(target, value, bytes);
  } else if (bytes >= 8) {
    SetWords(target, word, bytes);
  } else if (bytes >= 4) {
    SetWords(target, static_cast<uint32_t>(word), bytes);
  } else if (bytes >= 2) {
    SetWords(target, static_cast<uint16_t>(word), bytes);
  } else if (bytes == 1) {
    *target = static_cast<char>(value);
  }
  return to;
}

}  // extern "C"
