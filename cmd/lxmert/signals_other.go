//go:build !unix

package main

import "os"

// gentleSignals stop a training as Ctrl-C, which is one of them, does.
var gentleSignals = []os.Signal{os.Interrupt}
