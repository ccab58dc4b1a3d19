package scenes

// An Example is a question about a scene, and what is right.
type Example struct{ Question, Answer string }

// Examples are questions to try on a scene, n at most, of as many kinds as there are. The same scene has the same ones for the same seed.
func (s *Scene) Examples(n int, seed uint64) []Example {
	chance := stream(seed, chanceWords, 0)
	var kinds [][]asked
	for _, quotas := range [][]quota{vqaQuotas, gqaQuotas} {
		kinds = append(kinds, candidates(s, quotas, chance)...)
	}
	chance.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	var examples []Example
	for round := 0; len(examples) < n; round++ {
		before := len(examples)
		for _, kind := range kinds {
			if round < len(kind) && len(examples) < n {
				examples = append(examples, Example{kind[round].sentence, kind[round].answer})
			}
		}
		if len(examples) == before {
			break
		}
	}
	return examples
}
