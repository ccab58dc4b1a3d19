package explain

import (
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/model"
)

// attention is one attention of the network, head by head: its probabilities, [queries, keys] each, and their gradients.
type attention struct {
	name          model.AttentionName
	probabilities []matrix
	gradients     []matrix
}

// cam is rule 5: what the attention adds to the answer, the mean over the heads of what is positive of gradient times probability.
func (a attention) cam() matrix {
	positive := make([]matrix, len(a.probabilities))
	for h, p := range a.probabilities {
		positive[h] = p.each(func(i int, x float64) float64 { return max(a.gradients[h].v[i]*x, 0) })
	}
	return mean(positive)
}

// mean is the mean of the heads' probabilities.
func (a attention) mean() matrix { return mean(a.probabilities) }

// gradCAM is Grad-CAM's map of an attention: the heads weighed by the mean of their gradients, and of their mean what is positive.
func (a attention) gradCAM() matrix {
	weighed := make([]matrix, len(a.probabilities))
	for h, p := range a.probabilities {
		weight := 0.0
		for _, g := range a.gradients[h].v {
			weight += g
		}
		weight /= float64(len(p.v))
		weighed[h] = p.each(func(_ int, x float64) float64 { return weight * x })
	}
	return mean(weighed).each(func(_ int, x float64) float64 { return max(x, 0) })
}

// network is every attention, in the order of the network.
type network struct {
	tokens, regions  int
	language, region []attention
	cross            []crossAttentions
}

type crossAttentions struct{ language, region, selfLanguage, selfRegion attention }

// readNetwork takes the attentions of one example from the tensors. It is an error if the model scores with what is no number.
func readNetwork(out *model.AttentionOutput[*tensors.Tensor], tokens, regions int) (*network, error) {
	gradients := map[model.AttentionName]*tensors.Tensor{}
	for name, x := range out.Gradients.All() {
		gradients[name] = x
	}
	n := &network{
		tokens: tokens, regions: regions,
		language: make([]attention, len(out.Probabilities.Language)),
		region:   make([]attention, len(out.Probabilities.Region)),
		cross:    make([]crossAttentions, len(out.Probabilities.Cross)),
	}
	for name, x := range out.Probabilities.All() {
		a := attention{name: name}
		var err error
		if a.probabilities, err = heads(x); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if a.gradients, err = heads(gradients[name]); err != nil {
			return nil, fmt.Errorf("%s: gradient: %w", name, err)
		}
		if err := a.finite(); err != nil {
			return nil, err
		}
		*n.place(name) = a
	}
	return n, nil
}

// finite is an error where a number is none.
func (a attention) finite() error {
	for _, of := range [][]matrix{a.probabilities, a.gradients} {
		for _, m := range of {
			for _, x := range m.v {
				if math.IsNaN(x) || math.IsInf(x, 0) {
					return fmt.Errorf("%s: found %v among the attentions: the model's weights or the regions' features are damaged", a.name, x)
				}
			}
		}
	}
	return nil
}

// place is where an attention of that name stands.
func (n *network) place(name model.AttentionName) *attention {
	i := name.Layer
	switch name.Kind {
	case model.LanguageAttention:
		return &n.language[i]
	case model.RegionAttention:
		return &n.region[i]
	case model.CrossLanguageAttention:
		return &n.cross[i].language
	case model.CrossRegionAttention:
		return &n.cross[i].region
	case model.CrossSelfLanguageAttention:
		return &n.cross[i].selfLanguage
	}
	return &n.cross[i].selfRegion
}

// all are the attentions in the order in which they are computed.
func (n *network) all() []attention {
	all := slices.Concat(n.language, n.region)
	for _, x := range n.cross {
		all = append(all, x.language, x.region, x.selfLanguage, x.selfRegion)
	}
	return all
}

// heads is how many an attention has.
func (n *network) heads() int { return len(n.all()[0].probabilities) }
