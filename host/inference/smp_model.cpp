#include <host/inference/smp_model.hpp>

#include <array>
#include <optional>
#include <string_view>

#include <nlohmann/json.hpp>

#include <host/util/value_json.hpp>

namespace nephron::host {

namespace {

using Json = nlohmann::ordered_json;

/// A parameter of one of our components and the argument that it is over there.
struct Argument {
  std::string_view ours;
  std::string_view theirs;  ///< empty: it changes nothing of a trained model
};

struct Decoder {
  std::string_view type;
  std::string_view smp;
  std::array<Argument, 8> arguments;
};

// What is not given has the same default on both sides.
constexpr std::array decoders{
    Decoder{"unet",
            "Unet",
            {{{"channels", "decoder_channels"},
              {"norm", "decoder_use_norm"},
              {"attention", "decoder_attention_type"},
              {"interpolation", "decoder_interpolation"},
              {"fast", ""}}}},
    Decoder{"unet++",
            "UnetPlusPlus",
            {{{"channels", "decoder_channels"},
              {"norm", "decoder_use_norm"},
              {"attention", "decoder_attention_type"},
              {"interpolation", "decoder_interpolation"},
              {"fast", ""},
              {"supervision", ""}}}},
    Decoder{"fpn",
            "FPN",
            {{{"depth", "encoder_depth"},
              {"pyramid_channels", "decoder_pyramid_channels"},
              {"segmentation_channels", "decoder_segmentation_channels"},
              {"merge", "decoder_merge_policy"},
              {"dropout", "decoder_dropout"},
              {"interpolation", "decoder_interpolation"}}}},
    Decoder{"linknet", "Linknet", {{{"depth", "encoder_depth"}, {"norm", "decoder_use_norm"}}}},
    Decoder{"deeplabv3+",
            "DeepLabV3Plus",
            {{{"depth", "encoder_depth"},
              {"output_stride", "encoder_output_stride"},
              {"channels", "decoder_channels"},
              {"rates", "decoder_atrous_rates"},
              {"separable", "decoder_aspp_separable"},
              {"dropout", "decoder_aspp_dropout"}}}},
};

const Decoder* decoder_of(std::string_view type) {
  for (const Decoder& d : decoders)
    if (d.type == type) return &d;
  return nullptr;
}

/// The encoder's name over there; none: there is no such encoder.
std::optional<std::string> encoder_name(const std::string& type) {
  if (type.starts_with("convnext_")) return "tu-" + type;
  if (type.starts_with("efficientnet-lite")) return std::nullopt;
  if (type.starts_with("resnet") || type.starts_with("efficientnet-b")) return type;
  return std::nullopt;
}

/// SMP says "none" with None, False and the like.
Json in_their_words(std::string_view argument, const Value& value) {
  const bool none = value.is(Value::Type::string) && value.string() == "none";
  if (none && argument == "decoder_use_norm") return false;
  if (none && argument == "decoder_attention_type") return nullptr;
  return as_json(value);
}

/// Fills arguments; gives the parameter that has no counterpart, or "".
std::string add_arguments(const Decoder& decoder, const Value& params, Json& arguments) {
  if (!params.is(Value::Type::table)) return {};
  for (const Value::Member& member : params.table()) {
    const Argument* found = nullptr;
    for (const Argument& a : decoder.arguments)
      if (a.ours == member.key) found = &a;
    const bool off = member.value.is(Value::Type::boolean) && !member.value.boolean();
    if (found == nullptr && !off) return member.key;
    if (found != nullptr && !found->theirs.empty())
      arguments[std::string(found->theirs)] = in_their_words(found->theirs, member.value);
    if (found != nullptr && found->theirs == "decoder_channels" && member.value.is(Value::Type::array))
      arguments["encoder_depth"] = member.value.array().size();
  }
  return {};
}

}  // namespace

SmpModel smp_model(const ModelConfig& config, std::size_t classes) {
  SmpModel out;
  const std::string &encoder = config.encoder.component.type, &type = config.decoder.type;
  const std::optional<std::string> name = encoder_name(encoder);
  const Decoder* const decoder = decoder_of(type);
  if (!name || decoder == nullptr) {
    out.why = "Segmentation Models PyTorch 0.6.0 has no " +
              (name ? "decoder \"" + type + "\"" : "encoder \"" + encoder + "\"") + " like this one";
    return out;
  }
  out.arguments["encoder_name"] = *name;
  const std::string other = add_arguments(*decoder, config.decoder.params, out.arguments);
  if (!other.empty()) {
    out.why = "Segmentation Models PyTorch 0.6.0 has nothing like \"" + other + "\" of the decoder \"" + type + "\"";
    return out;
  }
  out.arguments["in_channels"] = config.in_channels;
  out.arguments["classes"] = classes;
  const Value* const compat = config.encoder.component.params.find("compat");
  if (compat != nullptr && compat->is(Value::Type::string)) out.padding = compat->string();
  out.decoder = decoder->smp;
  return out;
}

}  // namespace nephron::host
