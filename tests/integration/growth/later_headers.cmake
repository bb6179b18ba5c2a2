# Headers of a later SDK: FROM/nephron/*.hpp with one more field in every type that has a Room.
file(GLOB headers ${FROM}/nephron/*.hpp)
foreach(header IN LISTS headers)
  get_filename_component(name ${header} NAME)
  file(READ ${header} text)
  string(REPLACE "  Room room{};" "  Room room{};\n  NEPHRON_LATER_FIELD" text "${text}")
  string(REPLACE "#include <nephron/room.hpp>"
    "#include <nephron/room.hpp>\n#include <tests/integration/growth/later_field.hpp>" text "${text}")
  file(CONFIGURE OUTPUT ${TO}/nephron/${name} CONTENT "${text}" @ONLY)
endforeach()
file(TOUCH ${TO}/made)
