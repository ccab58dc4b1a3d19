// Package examples holds a tiny model with random weights and two made-up pictures, so that the
// command can be tried before a trained checkpoint is at hand. words.txt and answers.txt are written by hand; the rest
// is generated.
package examples

//go:generate go run ../cmd/lxmert init --force --out tiny --vocab words.txt --labels answers.txt --seed 2019 --set hidden_size=32 --set num_attention_heads=4 --set intermediate_size=64 --set l_layers=2 --set r_layers=1 --set x_layers=1 --set max_position_embeddings=64
//go:generate go run ./internal/regions regions.tsv
