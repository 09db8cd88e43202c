# tests/unit/test_X.c is one ctest; tests/e2e/X.test.mjs another (Node, against the built binary).
file(GLOB unit_tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/test_*.c)
set(test_view ${CMAKE_BINARY_DIR}/include/admin)
add_library(everything STATIC EXCLUDE_FROM_ALL ${ALL_OBJECTS} $<TARGET_OBJECTS:generated>)
foreach(source ${unit_tests})
    get_filename_component(name ${source} NAME_WE)
    add_executable(${name} ${source})
    target_include_directories(${name} PRIVATE ${test_view} ${CMAKE_SOURCE_DIR} ${GEN})
    add_dependencies(${name} generated_headers)
    target_link_libraries(${name} PRIVATE -Wl,--whole-archive everything -Wl,--no-whole-archive
        PkgConfig::LIBS http_parser argon2 Threads::Threads m cmocka yaml)
    target_compile_definitions(${name} PRIVATE VECTORS="${CMAKE_SOURCE_DIR}/../shared/vectors")
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES TIMEOUT 120 LABELS unit)
endforeach()

# The generator's own test: a small service in a folder of its own.
add_custom_command(OUTPUT ${GEN}/garden/gen/garden.h ${GEN}/garden/gen/garden.c
    COMMAND ${CMAKE_COMMAND} -E make_directory ${GEN}/garden/gen
    COMMAND ${CMAKE_COMMAND} -E env ASAN_OPTIONS=detect_leaks=0 $<TARGET_FILE:modelgen> ${CMAKE_SOURCE_DIR}/tests/fixtures/garden.yaml
            ${GEN}/garden/gen/garden.h ${GEN}/garden/gen/garden.c
    DEPENDS modelgen ${CMAKE_SOURCE_DIR}/tests/fixtures/garden.yaml)
target_sources(test_modelgen PRIVATE ${GEN}/garden/gen/garden.c ${GEN}/garden/gen/garden.h)
target_include_directories(test_modelgen BEFORE PRIVATE ${GEN}/garden)

# End to end: Node with the AWS clients that people use, against the built binary. The first test
# fetches the packages that tests/e2e/package-lock.json names; without them the others fail, loudly.
find_program(NODE node)
file(GLOB e2e_tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/e2e/*.test.mjs ${CMAKE_SOURCE_DIR}/tests/e2e/replay/*.test.mjs)
if(TARGET gatehouse AND e2e_tests)
    add_test(NAME e2e_packages COMMAND ${CMAKE_SOURCE_DIR}/tests/e2e/install.sh)
    set_tests_properties(e2e_packages PROPERTIES FIXTURES_SETUP e2e_packages TIMEOUT 300 LABELS e2e)
    foreach(source ${e2e_tests})
        get_filename_component(name ${source} NAME)
        string(REPLACE ".test.mjs" "" name ${name})
        add_test(NAME e2e_${name} COMMAND ${NODE} --test ${source})
        set_tests_properties(e2e_${name} PROPERTIES TIMEOUT 300 LABELS e2e FIXTURES_REQUIRED e2e_packages
            ENVIRONMENT "GATEHOUSE_BIN=$<TARGET_FILE:gatehouse>")
    endforeach()
endif()

# Fuzzing: tests/fuzz/fuzz_X.c with its seeds in tests/fuzz/seeds/X/. With the fuzz preset these are libFuzzer
# programs (./dev fuzz X); elsewhere a small driver gives each a repeatable slice, as a test of the suite.
file(GLOB fuzz_targets CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_*.c)
foreach(source ${fuzz_targets})
    get_filename_component(name ${source} NAME_WE)
    string(REPLACE "fuzz_" "" short ${name})
    if(FUZZ)
        add_executable(${name} ${source})
        target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    else()
        add_executable(${name} ${source} ${CMAKE_SOURCE_DIR}/tests/fuzz/driver.c)
        set(runs 20000)
        if(short STREQUAL policy_index) # a run of it is a dozen decisions over many statements, twice
            set(runs 3000)
        elseif(short STREQUAL saml) # a run of it reads XML three times, and a certificate
            set(runs 4000)
        endif()
        add_test(NAME ${name} COMMAND ${name} -runs=${runs} ${CMAKE_SOURCE_DIR}/tests/fuzz/seeds/${short})
        set_tests_properties(${name} PROPERTIES TIMEOUT 120 LABELS fuzz)
    endif()
    target_include_directories(${name} PRIVATE ${test_view} ${CMAKE_SOURCE_DIR} ${GEN})
    add_dependencies(${name} generated_headers)
    target_link_libraries(${name} PRIVATE -Wl,--whole-archive everything -Wl,--no-whole-archive
        PkgConfig::LIBS PkgConfig::YAML http_parser argon2 Threads::Threads m)
endforeach()
