#include <nephron/annotated_folder.hpp>

namespace mendeley {

struct Params : nephron::AnnotatedFolderParams {
  Params() {
    slides = "^(SESCAM|VUHSK|SAS)_";
    group = "external";
  }
  static void describe(nephron::Schema<Params>& s) { describe_folder(s); }
};

class Mendeley final : public nephron::AnnotatedFolder {
 public:
  Mendeley(const Params& params, nephron::Context& context)
      : AnnotatedFolder(params,
                        {{".svs"},
                         "SESCAM_*.svs, VUHSK_*.svs or SAS_*.svs in it or in folders below, and their QuPath exports "
                         "annotations/ID.json",
                         "Mendeley Data, doi:10.17632/k7nvtgn2x6.3, \"Dataset A\""},
                        context) {}
};

NEPHRON_PLUGIN("mendeley", "1.0.0")
NEPHRON_COMPONENT(nephron::Dataset, Mendeley, "mendeley",
                  "AIDPATH's glomeruli (Mendeley Data k7nvtgn2x6, \"Dataset A\"): SVS slides with QuPath annotations")

}  // namespace mendeley
