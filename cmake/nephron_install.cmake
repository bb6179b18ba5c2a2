# The installed tree: bin/, libexec/, lib/libnephron_*.so, lib/nephron/plugins/, include/, share/nephron/, lib/cmake/nephron/.
# It can be moved: what is ours is found relative to the file that looks for it; LibTorch, which stays where it was, by
# the path recorded at build time.
include(CMakePackageConfigHelpers)
# Plain lib/, whatever the prefix: bin/nephron looks for ../lib/nephron/plugins wherever the tree stands.
set(lib_dir lib)
set(package_dir ${lib_dir}/cmake/nephron)
set(plugin_dir ${lib_dir}/nephron/plugins)

# Two export sets, because a plugin without tensors is built where there is no LibTorch.
install(TARGETS nephron_sdk EXPORT nephron-sdk LIBRARY DESTINATION ${lib_dir})
install(TARGETS nephron_torch EXPORT nephron-torch LIBRARY DESTINATION ${lib_dir})
install(EXPORT nephron-sdk NAMESPACE nephron:: DESTINATION ${package_dir} FILE nephron-sdk-targets.cmake)
install(EXPORT nephron-torch NAMESPACE nephron:: DESTINATION ${package_dir} FILE nephron-torch-targets.cmake)
install(DIRECTORY sdk/include/ DESTINATION include)

set_target_properties(nephron_sdk nephron_torch PROPERTIES INSTALL_RPATH "$ORIGIN")
set_target_properties(nephron nephron_compute PROPERTIES INSTALL_RPATH "$ORIGIN/../lib")
install(TARGETS nephron RUNTIME DESTINATION bin)
install(TARGETS nephron_compute RUNTIME DESTINATION libexec)
install(FILES ${NEPHRON_COMMAND_LIST} DESTINATION libexec)
get_property(plugins GLOBAL PROPERTY NEPHRON_PLUGINS)
if(plugins)
  set_target_properties(${plugins} PROPERTIES INSTALL_RPATH "$ORIGIN/../..")
  install(TARGETS ${plugins} LIBRARY DESTINATION ${plugin_dir})
endif()
set(cuda_library)
if(TARGET nephron_cuda)
  set(cuda_library nephron_cuda)
  set_target_properties(nephron_cuda PROPERTIES INSTALL_RPATH "$ORIGIN")
  install(TARGETS nephron_cuda LIBRARY DESTINATION ${lib_dir})
endif()
# What a person runs and installs: no tests. `cmake --install` after building this target needs nothing else.
add_custom_target(nephron_product DEPENDS nephron nephron_compute nephron_sdk nephron_torch ${plugins} ${cuda_library})
# Python caches and local results lie beside the files that are wanted.
foreach(folder sdk/template experiments)
  if(EXISTS ${PROJECT_SOURCE_DIR}/${folder})
    install(DIRECTORY ${folder} DESTINATION share/nephron USE_SOURCE_PERMISSIONS
      PATTERN runs EXCLUDE PATTERN store EXCLUDE PATTERN __pycache__ EXCLUDE)
  endif()
endforeach()
# Whoever has a GPU runs it there, without a checkout: docs/performance.md.
file(GLOB gpu_scripts CONFIGURE_DEPENDS tests/gpu/*.py)
install(FILES ${gpu_scripts} DESTINATION share/nephron/gpu)
# Messages name pages of it: host/util/pages.hpp.
install(DIRECTORY docs/ DESTINATION share/doc/nephron/docs)
install(FILES CONTRIBUTING.md LICENSE DESTINATION share/doc/nephron)
# Where it is installed there is no ./nephron, and nothing to build.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS README.md cmake/installed_readme.md)
file(READ README.md readme)
file(READ cmake/installed_readme.md begin)
string(FIND "${readme}" "## Two commands" at)
string(FIND "${readme}" "## Your first plugin" end)
if(at EQUAL -1 OR end LESS at)
  message(FATAL_ERROR "README.md has no part \"## Two commands\" that \"## Your first plugin\" follows")
endif()
string(SUBSTRING "${readme}" 0 ${at} title)
string(SUBSTRING "${readme}" ${end} -1 rest)
string(REPLACE "./nephron " "nephron " readme "${title}${begin}${rest}")
file(WRITE ${CMAKE_BINARY_DIR}/generated/README.md "${readme}")
install(FILES ${CMAKE_BINARY_DIR}/generated/README.md DESTINATION share/doc/nephron)
install(FILES third_party/README.md DESTINATION share/doc/nephron/third_party)
# Pages link to those of plugins and experiments as they lie in the sources.
install(DIRECTORY plugins experiments DESTINATION share/doc/nephron FILES_MATCHING PATTERN README.md
  PATTERN runs EXCLUDE PATTERN store EXCLUDE)

configure_package_config_file(sdk/cmake/nephron-config.cmake.in ${CMAKE_BINARY_DIR}/${package_dir}/nephron-config.cmake
  INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may change the contract, after it it may not (SDK rule 8).
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(compatibility SameMinorVersion)
else()
  set(compatibility SameMajorVersion)
endif()
write_basic_package_version_file(${CMAKE_BINARY_DIR}/${package_dir}/nephron-config-version.cmake
  COMPATIBILITY ${compatibility})
install(FILES ${CMAKE_BINARY_DIR}/${package_dir}/nephron-config.cmake
  ${CMAKE_BINARY_DIR}/${package_dir}/nephron-config-version.cmake
  sdk/cmake/nephron_libtorch.cmake sdk/cmake/nephron_add_plugin.cmake DESTINATION ${package_dir})

# The build folder is such a tree too: a plugin outside is built with it in CMAKE_PREFIX_PATH, without installing.
export(EXPORT nephron-sdk NAMESPACE nephron:: FILE ${CMAKE_BINARY_DIR}/${package_dir}/nephron-sdk-targets.cmake)
export(EXPORT nephron-torch NAMESPACE nephron:: FILE ${CMAKE_BINARY_DIR}/${package_dir}/nephron-torch-targets.cmake)
configure_file(sdk/cmake/nephron_libtorch.cmake ${CMAKE_BINARY_DIR}/${package_dir}/nephron_libtorch.cmake COPYONLY)
configure_file(sdk/cmake/nephron_add_plugin.cmake ${CMAKE_BINARY_DIR}/${package_dir}/nephron_add_plugin.cmake COPYONLY)
