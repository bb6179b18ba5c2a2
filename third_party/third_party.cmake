# How each library is found. Versions, licences and sources stand in third_party/README.md.
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(tomlplusplus REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(spdlog REQUIRED)
find_package(TIFF REQUIRED)
find_package(PNG REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(pugixml REQUIRED)
find_package(Boost REQUIRED COMPONENTS filesystem)
find_package(GTest REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(libzip REQUIRED IMPORTED_TARGET libzip)
pkg_check_modules(httplib REQUIRED IMPORTED_TARGET cpp-httplib)
# Leaflet is embedded in the program: host/view.
find_path(NEPHRON_LEAFLET leaflet.min.js PATHS /usr/share/javascript/leaflet REQUIRED)
mark_as_advanced(NEPHRON_LEAFLET)
# Optional: plugins/readers leaves out what these are needed for.
pkg_check_modules(openjpeg IMPORTED_TARGET libopenjp2)
pkg_check_modules(openslide IMPORTED_TARGET openslide)

# Debian keeps OpenCVConfig.cmake in libopencv-dev, which draws in every OpenCV module and half a desktop. Three
# libraries are used, so they are found by hand. SYSTEM: OpenCV 4.6 headers warn under C++20.
add_library(nephron_opencv INTERFACE)
find_path(NEPHRON_OPENCV_INCLUDE opencv2/core.hpp PATH_SUFFIXES opencv4 REQUIRED)
target_include_directories(nephron_opencv SYSTEM INTERFACE ${NEPHRON_OPENCV_INCLUDE})
foreach(module core imgproc imgcodecs)
  find_library(NEPHRON_OPENCV_${module} opencv_${module} REQUIRED)
  target_link_libraries(nephron_opencv INTERFACE ${NEPHRON_OPENCV_${module}})
  mark_as_advanced(NEPHRON_OPENCV_${module})
endforeach()
mark_as_advanced(NEPHRON_OPENCV_INCLUDE)
