// Command arm64 generates the kernels for arm64, where vectors are of four float32 values. They do what the commands beside it generate
// for amd64, and have the same signatures.
package main

import (
	"flag"
	"log"

	"github.com/go-lxmert/lxmert/backend/simd/kernel/_asm/neon"
)

func main() {
	dir := flag.String("to", "..", "`directory` to write to")
	flag.Parse()
	for _, file := range []struct {
		subject string
		write   func()
	}{
		{"tile", tiles}, {"pack", packing}, {"conv", convolutions}, {"pool", pools}, {"winograd", winograd},
		{"vector", vectors}, {"rows", rows}, {"bf16", bf16}, {"int8", int8s},
	} {
		file.write()
		if err := neon.Generate(*dir, file.subject); err != nil {
			log.Fatal(err)
		}
	}
}
