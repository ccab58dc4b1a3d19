package answers

// A Score is an answer and how right it is, from 0 to 1.
type Score struct {
	Answer string
	Score  float64
}

// Soft are the scores that people's answers to one question give, in the order in which answers come first: an answer is as right
// as three in ten people gave it, min(1, 3·share). Of ten people that is 0.3, 0.6, 0.9 and 1 for one to four, as in LXMERT's own files and in
// the scripts their answers come from (hengyuan-hu/bottom-up-attention-vqa, compute_softscore.py); a single answer gets 1.
//
// Answers are compared as they are: those scripts do no normalisation here, and leave out answers that
// their table does not have in that very form. Who wants otherwise gives normalised answers.
func Soft(given []string) []Score {
	var out []Score
	at := map[string]int{}
	for _, answer := range given {
		i, ok := at[answer]
		if !ok {
			i = len(out)
			at[answer] = i
			out = append(out, Score{Answer: answer})
		}
		out[i].Score++
	}
	for i := range out {
		out[i].Score = min(1, 3*out[i].Score/float64(len(given)))
	}
	return out
}
