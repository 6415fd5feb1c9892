"""Schemas as files: folders of protos, descriptor sets, buf images and workspaces, modules, and commits of git."""
