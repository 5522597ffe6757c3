// The kernels as plain loops over single floats, in the order that dev.ostinato.kernels.KernelSet defines.
#pragma once

#include "abi.h"

extern const ostinato::Table REFERENCE_TABLE;
