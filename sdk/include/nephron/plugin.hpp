#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

#include <nephron/component.hpp>
#include <nephron/context.hpp>
#include <nephron/error.hpp>
#include <nephron/kinds.hpp>
#include <nephron/schema.hpp>
#include <nephron/version.hpp>

// Torch rows of the fingerprint: empty unless <nephron/torch.hpp> was included.
#ifndef NEPHRON_TORCH_ROW
#define NEPHRON_TORCH_ROW ""
#endif

namespace nephron::detail {

/// Fixed text, so that records hold no pointers and can be read from the file without loading it.
template <std::size_t N>
struct Text {
  char chars[N] = {};
  constexpr Text() = default;
  template <std::size_t M>
  constexpr Text(const char (&s)[M]) {  // NOLINT: implicit on purpose
    static_assert(M <= N, "nephron: this text is too long for a plugin record");
    for (std::size_t i = 0; i < M; ++i) chars[i] = s[i];
  }
};

inline constexpr std::uint64_t record_magic = 0x314e4f524850454eULL;  // "NEPHRON1"

/// Section "nephron_plugin": one a file. Layout never changes; a later version adds a section of its own.
struct alignas(32) PluginRecord {
  std::uint64_t magic = record_magic;
  std::uint32_t size = sizeof(PluginRecord);
  std::uint32_t sdk_major = NEPHRON_SDK_MAJOR;
  std::uint32_t sdk_minor = NEPHRON_SDK_MINOR;
  std::uint32_t reserved = 0;
  Text<64> name;
  Text<32> version;
  Text<64> torch;     ///< LibTorch build with its CUDA version, "2.11.0+cu130"; empty without torch
  Text<64> compiler;  ///< "gcc 12.2.0"
  Text<32> cxx_abi;   ///< "cxx11 1017"
  Text<32> build;     ///< what changes layouts: "standard", or "debug-stl", "asan", "tsan"
};

/// Section "nephron_text": one a component.
struct alignas(32) ComponentRecord {
  std::uint64_t magic = record_magic;
  std::uint32_t size = sizeof(ComponentRecord);
  std::uint32_t reserved = 0;
  Text<32> kind;
  Text<80> name;
  Text<512> doc;
};

struct ComponentOps {
  const SchemaBase& (*schema)();
  std::shared_ptr<Component> (*create)(const Value& params, Context& context);
};

/// Section "nephron_code": one a component, relocated at load.
struct alignas(32) ComponentCode {
  const ComponentRecord* record;
  const ComponentOps* ops;
  void* reserved[2];
};

/// What the C entry point returns.
struct PluginTable {
  std::uint32_t sdk_major;
  std::uint32_t sdk_minor;
  const PluginRecord* plugin;
  const ComponentCode* begin;
  const ComponentCode* end;
};

#define NEPHRON_STRING_(x) #x
#define NEPHRON_STRING(x) NEPHRON_STRING_(x)
#if defined(__clang__)
#define NEPHRON_COMPILER_ROW "clang " __clang_version__
#else
#define NEPHRON_COMPILER_ROW "gcc " __VERSION__
#endif
#if defined(_GLIBCXX_USE_CXX11_ABI) && _GLIBCXX_USE_CXX11_ABI
#define NEPHRON_ABI_ROW "cxx11 " NEPHRON_STRING(__GXX_ABI_VERSION)
#else
#define NEPHRON_ABI_ROW "pre-cxx11 " NEPHRON_STRING(__GXX_ABI_VERSION)
#endif
#if defined(_GLIBCXX_DEBUG)
#define NEPHRON_BUILD_ROW "debug-stl"
#elif defined(__SANITIZE_ADDRESS__)
#define NEPHRON_BUILD_ROW "asan"
#elif defined(__SANITIZE_THREAD__)
#define NEPHRON_BUILD_ROW "tsan"
#else
#define NEPHRON_BUILD_ROW "standard"
#endif

/// Stands in for the parameters when a component is constructed: turns into whatever struct its constructor takes,
/// decoded from `table`; or, asked for the schema alone, reports it and stops before the constructor runs.
struct ParamsFor {
  struct SchemaFound {
    const SchemaBase* schema;
  };
  const Value* table;  // null: only the schema is wanted

  template <class P>
  requires Described<P>
  operator P() const {  // NOLINT: implicit on purpose
    if (table == nullptr) throw SchemaFound{&schema_of<P>()};
    Diagnostics faults;
    DecodeContext context{faults};
    P params = schema_of<P>().decode(*table, context);
    if (!faults.empty()) throw_faults(faults);
    return params;
  }

 private:
  [[noreturn]] NEPHRON_API static void throw_faults(const Diagnostics& faults);
};

/// Turns into any struct of parameters, told or not: finds constructors that ParamsFor cannot serve.
struct AnyParams {
  template <class P>
  requires(!std::is_base_of_v<Component, P>) operator P() const;  // NOLINT: never defined, only asked about
};

template <class Class>
constexpr bool takes_untold_params =
    !std::is_constructible_v<Class, ParamsFor, Context&> && !std::is_constructible_v<Class, ParamsFor> &&
    (std::is_constructible_v<Class, AnyParams, Context&> || std::is_constructible_v<Class, AnyParams>);

/// What an experiment can name and a folder can be called: a letter, then letters, digits, "_", "-", "+" and ".".
constexpr bool good_component_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (name.empty() || name.size() > 60 || !letter(name[0])) return false;
  for (const char c : name)
    if (!letter(c) && !(c >= '0' && c <= '9') && c != '_' && c != '-' && c != '+' && c != '.') return false;
  return true;
}

template <class Class>
std::shared_ptr<Class> make_component(const Value* table, Context& context) {
  if constexpr (std::is_abstract_v<Class> || takes_untold_params<Class>) {
    return nullptr;  // OpsOf says what is wrong
  } else if constexpr (std::is_constructible_v<Class, ParamsFor, Context&>) {
    return std::make_shared<Class>(ParamsFor{table}, context);
  } else if constexpr (std::is_constructible_v<Class, ParamsFor>) {
    return std::make_shared<Class>(ParamsFor{table});
  } else {
    if (table == nullptr) throw ParamsFor::SchemaFound{&schema_of<NoParams>()};
    (void)NoParams(ParamsFor{table});
    if constexpr (std::is_constructible_v<Class, Context&>) {
      return std::make_shared<Class>(context);
    } else {
      static_assert(std::is_default_constructible_v<Class>,
                    "nephron: a component is constructed from (const Params&, nephron::Context&), (const Params&), "
                    "(nephron::Context&) or ()");
      return std::make_shared<Class>();
    }
  }
}

/// A context that is only referred to, never used: the constructor does not run.
NEPHRON_API Context& no_context();

template <class Base, class Class>
struct OpsOf {
  static_assert(std::is_base_of_v<Base, Class>, "nephron: the class does not derive from its kind's interface");
  static_assert(
      !std::is_abstract_v<Class>,
      "nephron: the class leaves a function of its kind's interface undefined, or spells it otherwise (const, "
      "argument types): mark yours `override`, and the compiler says which");
  static_assert(!takes_untold_params<Class>,
                "nephron: the struct of parameters that the constructor takes has no "
                "static void describe(nephron::Schema<Params>&), or not a public one");
  static const SchemaBase& schema() {
    try {
      make_component<Class>(nullptr, no_context());
    } catch (const ParamsFor::SchemaFound& found) {
      return *found.schema;
    }
    throw Error("the component was constructed in place of telling its schema");
  }
  static std::shared_ptr<Component> create(const Value& params, Context& context) {
    return std::shared_ptr<Base>(make_component<Class>(&params, context));
  }
  static constexpr ComponentOps ops{&schema, &create};
};

}  // namespace nephron::detail

#define NEPHRON_RECORD(section_) [[gnu::used, gnu::retain, gnu::section(section_)]] constinit const

/// Once in a plugin: its name and version. Makes the C entry point and the record that is read without loading.
#define NEPHRON_PLUGIN(name_, version_)                                                                                \
  extern "C" {                                                                                                         \
  extern const ::nephron::detail::ComponentCode __start_nephron_code[] __attribute__((visibility("hidden")));          \
  extern const ::nephron::detail::ComponentCode __stop_nephron_code[] __attribute__((visibility("hidden")));           \
  }                                                                                                                    \
  namespace {                                                                                                          \
  NEPHRON_RECORD("nephron_plugin")                                                                                     \
  ::nephron::detail::PluginRecord nephron_plugin_record{.name = name_,                                                 \
                                                        .version = version_,                                           \
                                                        .torch = NEPHRON_TORCH_ROW,                                    \
                                                        .compiler = NEPHRON_COMPILER_ROW,                              \
                                                        .cxx_abi = NEPHRON_ABI_ROW,                                    \
                                                        .build = NEPHRON_BUILD_ROW};                                   \
  }                                                                                                                    \
  extern "C" NEPHRON_API const ::nephron::detail::PluginTable* nephron_plugin_entry() {                                \
    static const ::nephron::detail::PluginTable table{NEPHRON_SDK_MAJOR, NEPHRON_SDK_MINOR, &nephron_plugin_record,    \
                                                      __start_nephron_code, __stop_nephron_code};                      \
    return &table;                                                                                                     \
  }

/// Registers a component: its kind's interface, its class, its name in experiments, one line about it.
#define NEPHRON_COMPONENT(Base, Class, name_, doc_) NEPHRON_COMPONENT_1(Base, Class, name_, doc_, __COUNTER__)
#define NEPHRON_COMPONENT_1(Base, Class, name_, doc_, n) NEPHRON_COMPONENT_2(Base, Class, name_, doc_, n)
#define NEPHRON_COMPONENT_2(Base, Class, name_, doc_, n)                                                               \
  namespace {                                                                                                          \
  static_assert(::nephron::detail::good_component_name(name_),                                                         \
                "nephron: a component's name is a letter, then letters, digits, '_', '-', '+' and '.', 60 at most");   \
  NEPHRON_RECORD("nephron_text")                                                                                       \
  ::nephron::detail::ComponentRecord nephron_text_##n{                                                                 \
      .kind = ::nephron::detail::kind_text<Base>(), .name = name_, .doc = doc_};                                       \
  NEPHRON_RECORD("nephron_code")                                                                                       \
  ::nephron::detail::ComponentCode nephron_code_##n{                                                                   \
      &nephron_text_##n, &::nephron::detail::OpsOf<Base, Class>::ops, {nullptr, nullptr}};                             \
  }

namespace nephron::detail {
template <class Base>
constexpr Text<32> kind_text() {
  static_assert(Base::kind.size() < 32);
  Text<32> out;
  for (std::size_t i = 0; i < Base::kind.size(); ++i) out.chars[i] = Base::kind[i];
  return out;
}
}  // namespace nephron::detail
