//go:build !race

package torch

import "time"

const second = time.Second
