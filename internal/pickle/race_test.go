//go:build race

package pickle

import "time"

const second = 10 * time.Second // what the detector makes of one
