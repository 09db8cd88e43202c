/* The version that health, `gatehouse version` and the log name. */
#pragma once

#define GATEHOUSE_VERSION "0.1.0"
