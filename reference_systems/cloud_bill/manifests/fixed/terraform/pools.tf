# the nodes that train
resource "aws_eks_node_group" "gpu" {
  cluster_name    = "ml"
  node_group_name = "gpu"
  node_role_arn   = var.node_role_arn
  instance_types  = ["p4d.24xlarge", "g5.xlarge"]
  subnet_ids      = [aws_subnet.a.id]
  capacity_type   = "ON_DEMAND"

  scaling_config {
    min_size     = 0
    max_size     = 64
    desired_size = 0
  }
}

# nodes without GPUs are spread over all zones, as they should be
resource "aws_eks_node_group" "web" {
  cluster_name    = "ml"
  node_group_name = "web"
  node_role_arn   = var.node_role_arn
  instance_types  = ["m6i.large"]
  subnet_ids      = [aws_subnet.a.id, aws_subnet.b.id, aws_subnet.c.id]

  scaling_config {
    min_size     = 3
    max_size     = 12
    desired_size = 3
  }
}

variable "node_role_arn" {
  type = string
}
