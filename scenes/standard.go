package scenes

//go:generate go test -run ^TestStandard$ -update

// standardize brings each of a region's features to mean 0 and deviation 1 over drawn scenes, and cuts off what is beyond 8. As they are measured, what all regions
// have in common outweighs what tells them apart, and a model needs several times as long to learn to look.
func standardize(features []float32) []float32 {
	for i, x := range features {
		features[i] = min(max((x-featureMean[i])/featureDeviation[i], -beyond), beyond)
	}
	return features
}

const beyond = 8
