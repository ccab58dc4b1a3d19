//go:build !race

package pickle

import "time"

const second = time.Second
