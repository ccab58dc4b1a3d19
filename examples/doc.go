// Package examples holds pictures of the drawn world, which the shipped model knows; and a tiny model with random weights and two made-up pictures
// as a detector sees them, for tests and for trying out what wants a model directory. words.txt and answers.txt are written by hand; the rest
// is generated.
package examples

//go:generate go run ../cmd/lxmert init --force --out tiny --vocab words.txt --labels answers.txt --seed 2019 --set hidden_size=32 --set num_attention_heads=4 --set intermediate_size=64 --set l_layers=2 --set r_layers=1 --set x_layers=1 --set max_position_embeddings=64
//go:generate go run ./internal/regions regions.tsv
//go:generate go run ../cmd/lxmert scenes draw --seed 256759 --out park.png
//go:generate go run ../cmd/lxmert scenes draw --seed 114556 --out harbor.png
//go:generate go run ../cmd/lxmert scenes draw --seed 1258867 --out table.png
