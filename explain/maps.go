package explain

import "github.com/go-lxmert/lxmert/model"

// Map is one attention of the network: how much each query looks at each key; rows add up to 1.
type Map struct {
	Name    string              `json:"name"` // KIND.LAYER, as language.0
	Kind    model.AttentionKind `json:"kind"`
	Layer   int                 `json:"layer"`           // from 0, in its encoder
	Queries string              `json:"queries"`         // tokens or regions
	Keys    string              `json:"keys"`            // tokens or regions
	Mean    [][]float32         `json:"mean"`            // over the heads, [queries][keys]
	Heads   [][][]float32       `json:"heads,omitempty"` // each head's; with MapsAll
}

// maps are all attentions, as far as they are wanted.
func (n *network) maps(detail Detail) []Map {
	if detail == MapsNone {
		return nil
	}
	var maps []Map
	for _, a := range n.all() {
		m := Map{
			Name: a.name.String(), Kind: a.name.Kind, Layer: a.name.Layer,
			Queries: rows(a.name.Kind.TokenQueries()), Keys: rows(a.name.Kind.TokenKeys()),
			Mean: a.mean().floats(),
		}
		if detail == MapsAll {
			for _, head := range a.probabilities {
				m.Heads = append(m.Heads, head.floats())
			}
		}
		maps = append(maps, m)
	}
	return maps
}

func rows(ofTokens bool) string {
	if ofTokens {
		return "tokens"
	}
	return "regions"
}
