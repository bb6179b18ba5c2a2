#include <nephron/annotated_folder.hpp>

namespace hubmap_portal {

struct Params : nephron::AnnotatedFolderParams {
  Params() {
    donor = "^(VAN[0-9]+)";
    group = "portal";
  }
  static void describe(nephron::Schema<Params>& s) { describe_folder(s); }
};

class HubmapPortal final : public nephron::AnnotatedFolder {
 public:
  HubmapPortal(const Params& params, nephron::Context& context)
      : AnnotatedFolder(params,
                        {{".ome.tif", ".ome.tiff", ".ome.btf"},
                         "VAN0003-LK-32-21-PAS_registered.ome.tif and other OME-TIFF slides in it or in folders below, "
                         "with or without QuPath exports annotations/ID.json",
                         "the HuBMAP portal, portal.hubmapconsortium.org"},
                        context) {}
};

NEPHRON_PLUGIN("hubmap_portal", "1.0.0")
NEPHRON_COMPONENT(nephron::Dataset, HubmapPortal, "hubmap_portal",
                  "OME-TIFF slides of the HuBMAP portal, to predict or, with QuPath annotations, to train on")

}  // namespace hubmap_portal
