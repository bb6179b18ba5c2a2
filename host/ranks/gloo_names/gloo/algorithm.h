#pragma once  // gloo_names/README.md
