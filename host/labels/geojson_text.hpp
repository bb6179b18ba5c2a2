#pragma once

#include <string>
#include <vector>

#include <nephron/geojson.hpp>

namespace nephron::host {

/// A FeatureCollection that QuPath opens: annotations with id, objectType, classification (name and colour) and
/// measurements. Rings are closed. An id that is no UUID, which QuPath wants, is replaced by one made from the object's
/// place in the file and its vertices, so that equal objects give equal text. `classes` give the colours their order.
/// `origin`: a JSON object that becomes the member "nephron" of the whole; empty: none.
std::string geojson_text(const std::vector<AnnotatedObject>& objects, const std::vector<std::string>& classes,
                         const std::string& origin = {});

/// One feature of such a file, on one line. What `salt` is, equal objects have ids of their own by.
std::string geojson_feature(const AnnotatedObject& object, const std::vector<std::string>& classes,
                            const std::string& salt);

/// A feature that is of another class now ("": of none), and otherwise as it was.
std::string reclassified(const std::string& feature, const std::string& class_name,
                         const std::vector<std::string>& classes);

}  // namespace nephron::host
