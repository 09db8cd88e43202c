# Code made at build time, never committed.

# modelgen: one service description -> typed structs, tables, handler prototypes
add_executable(modelgen tools/modelgen.c tools/model.c tools/emit_header.c tools/emit_source.c)
target_link_libraries(modelgen PRIVATE PkgConfig::YAML)

set(GEN ${CMAKE_BINARY_DIR}/gen)
file(MAKE_DIRECTORY ${GEN}/gen)
set(generated_sources "")
set(generated_headers "")
foreach(service cognito-idp cognito-identity iam sts apigateway apigatewayv2 apigatewaymanagementapi lambda kms)
    if(NOT EXISTS ${CMAKE_SOURCE_DIR}/openapi/${service}.yaml)
        continue()
    endif()
    string(REPLACE "-" "_" stem ${service})
    add_custom_command(
        OUTPUT ${GEN}/gen/${stem}.h ${GEN}/gen/${stem}.c
        COMMAND ${CMAKE_COMMAND} -E env ASAN_OPTIONS=detect_leaks=0 $<TARGET_FILE:modelgen> ${CMAKE_SOURCE_DIR}/openapi/${service}.yaml ${GEN}/gen/${stem}.h ${GEN}/gen/${stem}.c
        DEPENDS modelgen ${CMAKE_SOURCE_DIR}/openapi/${service}.yaml)
    list(APPEND generated_sources ${GEN}/gen/${stem}.c)
    list(APPEND generated_headers ${GEN}/gen/${stem}.h)
endforeach()

# embed: files -> one .S with .incbin and a table (core/embed.h)
# embedded(NAME FILES...) makes `const struct embedded_file NAME[]`, ended by an empty row.
function(embedded name)
    set(files ${ARGN})
    string(REPLACE ";" " " shown "${files}")
    add_custom_command(
        OUTPUT ${GEN}/${name}.S
        COMMAND ${CMAKE_COMMAND} -DNAME=${name} "-DFILES=${files}" -DROOT=${CMAKE_SOURCE_DIR} -DOUT=${GEN}/${name}.S
                -P ${CMAKE_SOURCE_DIR}/tools/embed.cmake
        DEPENDS ${files} ${CMAKE_SOURCE_DIR}/tools/embed.cmake
        VERBATIM)
    set_property(GLOBAL APPEND PROPERTY GH_EMBEDDED ${GEN}/${name}.S)
endfunction()
file(GLOB migration_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/*/store/*.sql)
embedded(embedded_migrations ${migration_files})
file(GLOB runtime_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/functions/runtime/*)
embedded(embedded_runtimes ${runtime_files})
embedded(embedded_services ${CMAKE_SOURCE_DIR}/policy/services.json)
file(GLOB openapi_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/openapi/*.yaml)
embedded(embedded_openapi ${openapi_files})
file(GLOB_RECURSE managed_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/identity/iam/policies/aws/*)
embedded(embedded_managed ${managed_files})
get_property(embedded_sources GLOBAL PROPERTY GH_EMBEDDED)

add_library(generated OBJECT ${generated_sources} ${embedded_sources})
target_include_directories(generated PRIVATE ${CMAKE_BINARY_DIR}/include/wire ${GEN})
target_link_libraries(generated PUBLIC PkgConfig::LIBS)
add_custom_target(generated_headers DEPENDS ${generated_headers})
foreach(one identity functions gateway admin)
    add_dependencies(${one} generated_headers)
    target_include_directories(${one} PRIVATE ${GEN})
endforeach()
