// Package forms has every form of the instructions that the kernels' generator writes as bytes, for tests to run.
package forms
