# hg_embed(<target> <symbol> <file>...): compiles files into <target> as a table
#     const struct hg_embedded <symbol>[]; (name, bytes, size; ended by a NULL name)
# so that the installed program stays a single file. See core/embedded.h.
function(hg_embed target symbol)
    set(out ${CMAKE_CURRENT_BINARY_DIR}/${symbol}.c)
    add_custom_command(
        OUTPUT ${out}
        COMMAND ${CMAKE_COMMAND} -DOUT=${out} -DSYMBOL=${symbol} "-DFILES=${ARGN}" -DROOT=${CMAKE_SOURCE_DIR}
                -P ${CMAKE_SOURCE_DIR}/cmake/EmbedFiles.cmake
        DEPENDS ${ARGN} ${CMAKE_SOURCE_DIR}/cmake/EmbedFiles.cmake
        VERBATIM)
    target_sources(${target} PRIVATE ${out})
endfunction()
