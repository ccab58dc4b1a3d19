package answers

import "strings"

// contractions maps a contraction that lacks one of its apostrophes to the whole.
var contractions = func() map[string]string {
	table := map[string]string{
		"somebody'd": "somebodyd", // the wrong way round in the evaluation, and part of its results
	}
	for _, whole := range strings.Fields(wholeContractions) {
		for i := range len(whole) {
			if whole[i] == '\'' {
				table[whole[:i]+whole[i+1:]] = whole
			}
		}
	}
	return table
}()

// wholeContractions are those that the VQA evaluation knows. Its entries with a capital I are not here: it looks words up
// in lower case, so they never apply.
const wholeContractions = `
	ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've hasn't haven't
	he'd he'd've he's how'd how'll how's isn't it'd it'd've it'll ma'am might've mightn't mightn't've
	must've mustn't needn't not've o'clock oughtn't 'ow's'at shan't she'd've should've shouldn't shouldn't've
	somebody'd've somebody'll somebody's someone'd someone'd've someone'll someone's
	something'd something'd've something'll that's there'd there'd've there're there's
	they'd they'd've they'll they're they've 'twas wasn't we'd've we've weren't what'll what're what's what've
	when's where'd where's where've who'd who'd've who'll who's who've why'll why're why's won't
	would've wouldn't wouldn't've y'all y'all'd've y'all'll you'd you'd've you'll you're you've`
