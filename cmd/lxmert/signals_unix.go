//go:build unix

package main

import (
	"os"
	"syscall"
)

// gentleSignals stop a training as Ctrl-C does. mpirun passes SIGUSR1 on and leaves it at that, where SIGTERM is followed by SIGKILL after a second or two.
var gentleSignals = []os.Signal{syscall.SIGUSR1}
