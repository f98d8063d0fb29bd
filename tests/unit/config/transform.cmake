# Tests of the transform from a template to a snapshot.
add_library(hg_transform_case STATIC transform_case.c)
target_link_libraries(hg_transform_case PUBLIC hg_config PkgConfig::CMOCKA)
foreach(name async cfn globals openapi sam_api sam_function template template_corpus)
    hg_unit_test(test_${name} test_${name}.c hg_transform_case hg_config)
endforeach()
target_compile_definitions(test_template_corpus PRIVATE HG_TEMPLATES_DIR="${CMAKE_CURRENT_SOURCE_DIR}/../../templates")

# Tests of the store and of what is deployed, on a data directory.
add_library(hg_catalog_case STATIC catalog_case.c)
target_link_libraries(hg_catalog_case PUBLIC hg_transform_case PkgConfig::SQLITE)
foreach(name catalog catalog_template event_config store)
    hg_unit_test(test_${name} test_${name}.c hg_catalog_case hg_config)
endforeach()
