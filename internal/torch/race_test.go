//go:build race

package torch

import "time"

const second = 10 * time.Second // what the detector makes of one
