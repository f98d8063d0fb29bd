# Tests of the transform from a template to a snapshot.
add_library(hg_transform_case STATIC transform_case.c)
target_link_libraries(hg_transform_case PUBLIC hg_config PkgConfig::CMOCKA)
foreach(name async cfn event_config globals openapi sam_api sam_function store template template_corpus)
    hg_unit_test(test_${name} test_${name}.c hg_transform_case hg_config)
endforeach()
target_compile_definitions(test_template_corpus PRIVATE HG_TEMPLATES_DIR="${CMAKE_CURRENT_SOURCE_DIR}/../../templates")
target_link_libraries(test_store PRIVATE PkgConfig::SQLITE)
target_link_libraries(test_event_config PRIVATE PkgConfig::SQLITE)
