#pragma once

// Version of the plugin contract; CMake reads it from here.
//
// Once major is 1, a plugin built against 1.x loads in every host 1.y with y >= x.
// While major is 0, minor must be equal. History:
//   0.1  first version; since then, in what was there nothing changed: ParameterError, QuietLibraries, CouplesClasses,
//        ParameterCheck, DatasetCheck, CheckedFolder, PlainHead, blocks, a record of LibTorch in sources with tensors
//   0.2  types that cross by value end in a Room; batch_augmentation is a kind; losses may ask for more (InputLoss);
//        Catalog draws pixels and names classes; CheckedFolder is AnnotatedFolder, PlainHead a field of HeadSpec,
//        SlideMaker::Wish is SlideMaker::Request; decoders may give AuxiliaryMaps; labels are u8, u16 or u32 for up to
//        32 classes (ChannelRule, SampleView, Catalog::any_label); AnnotationSink::ignored and ignore(); Catalog counts
//        pixels and tissue, and knows objects and the tile; SlideColours, which a SampleInfo leads to;
//        BatchNorm2d::forward takes the activation and a sum, and BatchPeers; nn/activation.hpp, nn/first_weights.hpp,
//        nn/recompute.hpp; metric is a kind, and object_matching.hpp; Conv2d::freeze, conv_norm and
//        freeze_for_inference; measurements may be a KeptMeasurement or have curves (HasCurves)
#define NEPHRON_SDK_MAJOR 0
#define NEPHRON_SDK_MINOR 2
#define NEPHRON_SDK_PATCH 0
