package explain

// The baselines that the paper compares with. They leave the regions' rows empty where the authors' code has none.

// rawAttention is what one cross-modality layer looks at: the mean over its heads, or one head.
func (n *network) rawAttention(layer, head int) state {
	if len(n.cross) == 0 {
		return n.nothing()
	}
	x := n.cross[layer]
	of := func(a attention) matrix {
		if head >= 0 {
			return a.probabilities[head].clone()
		}
		return a.mean()
	}
	return state{tt: of(x.selfLanguage), ti: of(x.language), it: of(x.region), ii: of(x.selfRegion)}
}

// attentionGradCAM is Grad-CAM (Selvaraju et al. 2017) of the last cross-modality layer's attentions.
func (n *network) attentionGradCAM() state {
	if len(n.cross) == 0 {
		return n.nothing()
	}
	x := n.cross[len(n.cross)-1]
	return state{tt: x.selfLanguage.gradCAM(), ti: x.language.gradCAM()}
}

// rollout is attention rollout (Abnar and Zuidema 2020): within each stream the product of all its attentions, the answer left out of account.
func (n *network) rollout() state {
	if len(n.cross) == 0 {
		return n.nothing()
	}
	last := len(n.cross) - 1
	text, image := identity(n.tokens), identity(n.regions)
	for _, a := range n.language {
		text = roll(a.mean(), text)
	}
	for _, a := range n.region {
		image = roll(a.mean(), image)
	}
	for _, x := range n.cross[:last] {
		text, image = roll(x.selfLanguage.mean(), text), roll(x.selfRegion.mean(), image)
	}
	x := n.cross[last]
	return state{
		ti: text.transposed().times(x.language.mean().times(image)),
		tt: roll(x.selfLanguage.mean(), text),
		ii: image,
	}
}

// roll adds a later attention to a chain: half of it is the residual connection.
func roll(a, chain matrix) matrix { return a.plus(identity(a.rows)).normalised().times(chain) }

// nothing is the state of a network without cross-modality layers, whose streams never meet.
func (n *network) nothing() state {
	return state{tt: newMatrix(n.tokens, n.tokens), ti: newMatrix(n.tokens, n.regions)}
}
