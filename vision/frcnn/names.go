package frcnn

import (
	"os"
	"strings"
)

func readNames(path string) ([]string, error) {
	b, err := os.ReadFile(path)
	return strings.Split(strings.TrimSpace(string(b)), "\n"), err
}
