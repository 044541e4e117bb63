package report

import (
	"fmt"
	"strconv"

	"eevee/experiments/papers"
	"eevee/figures"
)

// regretFields draws what bounds cost over percentile and confidence: the price
// of the bound, and the regret of every method.
func regretFields(rows papers.RegretFields) []figures.Picture {
	heat := func(title, label string, values [][]float64) figures.Heat {
		return figures.Heat{
			Title: figures.OnTrace(title, rows.Recorded), X: "percentile", Y: "confidence (%)", Value: figures.Axis{Label: label, Unit: "%"},
			Names: [2][]string{numbers(rows.Percentiles), numbers(rows.Confidences)}, Values: values,
		}
	}
	stack := figures.Stack{{Name: "price", Figure: heat("The optimum above that of the weakest bound (%)", "price", rows.Price())}}
	for _, m := range rows.Methods {
		stack = append(stack, figures.Panel{Name: m.Method, Figure: heat(m.Method+": regret against the optimum (%)", "regret", m.Regret)})
	}
	return []figures.Picture{{
		Name: rows.Name, Drawing: stack,
		Caption: fmt.Sprintf("%s, %s, certified: what a stronger bound costs, and by how much answers are dearer than the proved optimum; fields without a number break the bound", rows.Workflow, rows.Bound),
	}}
}

func numbers(values []float64) []string {
	var names []string
	for _, v := range values {
		names = append(names, strconv.FormatFloat(v, 'f', -1, 64))
	}
	return names
}
