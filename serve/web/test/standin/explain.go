package main

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/tokenizer"
)

// explain makes an explanation up: words have to do with the regions that are called so.
func explain(regions lxmert.Regions, q *request, tokens []string, spans []tokenizer.Span) object {
	labels := make([]string, regions.Len())
	for i := range labels {
		labels[i] = label(regions, i)
	}
	var list []object
	tokenScores := make([]float64, len(tokens))
	regionScores := make([]float64, len(labels))
	for i, token := range tokens {
		special := i == 0 || i == len(tokens)-1
		list = append(list, object{"text": token, "start": max(spans[i].Start, 0), "end": max(spans[i].End, 0), "special": special})
		tokenScores[i] = affinity(q.Method, token) / 4
		for j, label := range labels {
			a := affinity(token, label)
			regionScores[j] += a / 10
			tokenScores[i] += a / 10
		}
	}
	kinds := []struct {
		name, queries, keys string
		layers              int
	}{
		{"language", "tokens", "tokens", 2}, {"region", "regions", "regions", 1}, {"cross_language", "tokens", "regions", 3},
		{"cross_region", "regions", "tokens", 3}, {"cross_self_language", "tokens", "tokens", 3}, {"cross_self_region", "regions", "regions", 3},
	}
	names := map[string][]string{"tokens": tokens, "regions": labels}
	e := object{"question": q.Question, "method": q.Method, "tokens": list, "token_scores": tokenScores, "region_scores": regionScores,
		"token_shades": shades(tokenScores, true), "region_shades": shades(regionScores, false),
		"matrices": object{"token_token": matrix("tt", tokens, tokens), "token_region": matrix("ti", tokens, labels),
			"region_token": matrix("it", labels, tokens), "region_region": matrix("ii", labels, labels)}}
	if q.Maps == "" || q.Maps == "none" {
		return e
	}
	var maps []object
	for _, kind := range kinds {
		for layer := range kind.layers {
			var heads [][][]float64
			for head := range 4 {
				heads = append(heads, matrix(fmt.Sprint(kind.name, layer, head), names[kind.queries], names[kind.keys]))
			}
			m := object{"name": fmt.Sprintf("%s.%d", kind.name, layer), "kind": kind.name, "layer": layer, "queries": kind.queries, "keys": kind.keys, "mean": heads[0]}
			if q.Maps == "all" {
				m["heads"] = heads
			}
			maps = append(maps, m)
		}
	}
	e["maps"] = maps
	return e
}

// shades are scores from 0 to 1; the first and the last token do not take part.
func shades(scores []float64, tokens bool) []float64 {
	out := make([]float64, len(scores))
	part := scores
	if tokens {
		part = scores[1 : len(scores)-1]
	}
	low, high := slices.Min(part), slices.Max(part)
	for i, v := range scores {
		if !tokens || i > 0 && i < len(scores)-1 {
			out[i] = (v - low) / max(high-low, 1e-9)
		}
	}
	return out
}

// matrix has a row for each query, which sums to 1.
func matrix(salt string, queries, keys []string) [][]float64 {
	out := make([][]float64, len(queries))
	for i, q := range queries {
		out[i] = make([]float64, len(keys))
		sum := 0.0
		for j, k := range keys {
			out[i][j] = affinity(salt, q+k)/4 + affinity(q, k) + affinity(k, q)
			sum += out[i][j]
		}
		for j := range keys {
			out[i][j] /= sum
		}
	}
	return out
}

// affinity is how much two things have to do with each other, by their names, the same each time.
func affinity(a, b string) float64 {
	sum := sha256.Sum256([]byte(a + "|" + b))
	v := 0.02 + 0.18*float64(sum[0])/255
	for word := range strings.FieldsSeq(b) {
		if strings.EqualFold(word, a) {
			v++
		}
	}
	return v
}
