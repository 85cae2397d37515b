# SPDX-License-Identifier: GPL-3.0-or-later
#
# Stops `cmake --install` where pip has installed gr-rpmsn, such as in the environment of scripts/bootstrap, whose Python
# runs the sources as they are.
set(folder "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/${python_dir}")
file(GLOB by_pip "${folder}/gr_rpmsn-*.dist-info")
if(by_pip)
    message(FATAL_ERROR "pip has installed gr-rpmsn in ${folder} already: use that one, remove it "
                        "(${CMAKE_INSTALL_PREFIX}/bin/python -m pip uninstall gr-rpmsn), "
                        "or install to another prefix: cmake -B build -DCMAKE_INSTALL_PREFIX=...")
endif()
