//go:build race

package tokenizer

const raceEnabled = true // the detector makes sync.Pool drop what it holds
