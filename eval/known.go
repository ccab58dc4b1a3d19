package eval

import "slices"

// Shared is what two splits are known to have in common.
type Shared int

// From nothing to questions; splits that share questions share their pictures.
const (
	SharesNothing Shared = iota
	SharesPictures
	SharesQuestions
)

// contents is what a known split is made of.
type contents struct{ questions, pictures []string }

// known says what the splits of LXMERT's data are made of. Its pre-training data holds VQA's and GQA's training and validation questions (of VQA's, by
// the pictures they are about), and the pictures of GQA's training and validation are Visual Genome's, of which many are MS COCO's too.
// GQA's testdev and test are about pictures of MS COCO's test set, as VQA's test is.
var known = map[Split]contents{
	{"vqa", "train"}:     {[]string{"vqa train"}, []string{"coco train"}},
	{"vqa", "minival"}:   {[]string{"vqa minival"}, []string{"coco minival"}},
	{"vqa", "nominival"}: {[]string{"vqa nominival"}, []string{"coco nominival"}},
	{"vqa", "valid"}:     {[]string{"vqa minival", "vqa nominival"}, []string{"coco minival", "coco nominival"}},
	{"vqa", "test"}:      {[]string{"vqa test"}, []string{"coco test"}},

	{"gqa", "train"}:   {[]string{"gqa train"}, visualGenome},
	{"gqa", "valid"}:   {[]string{"gqa valid"}, visualGenome},
	{"gqa", "testdev"}: {[]string{"gqa testdev"}, []string{"coco test"}},
	{"gqa", "test"}:    {[]string{"gqa test"}, []string{"coco test"}},

	{"lxmert", "mscoco_train"}:     {[]string{"vqa train", "gqa train", "gqa valid"}, []string{"coco train"}},
	{"lxmert", "mscoco_minival"}:   {[]string{"vqa minival", "gqa train", "gqa valid"}, []string{"coco minival"}},
	{"lxmert", "mscoco_nominival"}: {[]string{"vqa nominival", "gqa train", "gqa valid"}, []string{"coco nominival"}},
	{"lxmert", "vgnococo"}:         {[]string{"gqa train", "gqa valid"}, []string{"vg alone"}},

	{"nlvr2", "train"}: {[]string{"nlvr2 train"}, []string{"nlvr2 train"}},
	{"nlvr2", "valid"}: {[]string{"nlvr2 valid"}, []string{"nlvr2 valid"}},
	{"nlvr2", "test"}:  {[]string{"nlvr2 test"}, []string{"nlvr2 test"}},
}

var visualGenome = []string{"coco train", "coco minival", "coco nominival", "vg alone"}

// OriginalPreTraining is what the original's published weights have learned from; nothing but names is known of it.
func OriginalPreTraining() []Trained {
	var trained []Trained
	for _, name := range [...]string{"mscoco_train", "mscoco_nominival", "vgnococo"} {
		trained = append(trained, Trained{Split: Split{"lxmert", name}, Stage: "pretrain"})
	}
	return trained
}

// otherNames are those that the data sets' own files have, and the unbalanced ones of GQA, which hold the balanced.
var otherNames = map[Split]string{
	{"vqa", "val"}: "valid", {"vqa", "train2014"}: "train", {"vqa", "val2014"}: "valid", {"vqa", "test2015"}: "test", {"vqa", "test-dev2015"}: "test",
	{"gqa", "val"}: "valid", {"gqa", "train_all"}: "train", {"gqa", "valid_all"}: "valid", {"gqa", "val_all"}: "valid", {"gqa", "testdev_all"}: "testdev",
	{"nlvr2", "dev"}: "valid", {"nlvr2", "test1"}: "test",
}

// sharedByName is what two splits are known to share. Those with the same name are the same.
func sharedByName(a, b Split) Shared {
	a, b = officialName(a), officialName(b)
	if a == b {
		return SharesQuestions
	}
	x, y := known[a], known[b]
	switch {
	case intersect(x.questions, y.questions):
		return SharesQuestions
	case intersect(x.pictures, y.pictures):
		return SharesPictures
	}
	return SharesNothing
}

func officialName(s Split) Split {
	if name, ok := otherNames[s]; ok {
		s.Name = name
	}
	return s
}

func intersect(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}
